//! Mail on a real Postgres, to a real SMTP session, with addresses from a directory over gRPC.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

mod delivery;
mod directory;
mod house;
mod invitation;
mod outbox;
mod page;
mod server;
mod stage;
