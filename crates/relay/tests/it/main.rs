//! The relay against a real Postgres and a real NATS server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

mod broker;
mod relaying;
