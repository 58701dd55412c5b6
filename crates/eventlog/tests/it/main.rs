//! The event log on a real Postgres.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

mod archive;
mod commands;
mod counter;
mod crash;
mod delivery;
mod failure;
mod hammer;
mod lanes;
mod leases;
mod model;
mod plans;
mod poison;
mod race;
mod restart;
mod round_trips;
mod snapshots;
mod stall;
mod support;
