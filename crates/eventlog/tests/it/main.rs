//! The event log on a real Postgres.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

mod archive;
mod commands;
mod counter;
mod crash;
mod delivery;
mod failure;
mod model;
mod plans;
mod race;
mod snapshots;
mod support;
