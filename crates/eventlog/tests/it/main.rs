//! The event log on a real Postgres.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

mod commands;
mod counter;
mod delivery;
mod failure;
mod hammer;
mod lanes;
mod leases;
mod poison;
mod race;
mod restart;
mod round_trips;
mod stall;
mod support;
