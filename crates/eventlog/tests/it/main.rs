//! The event log on a real Postgres.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

mod commands;
mod counter;
mod delivery;
mod failure;
mod race;
mod round_trips;
mod support;
