//! Behaviours of the composed system through its real interfaces, on a real Postgres.
//!
//! `world` starts a system for one test, `company` fills it, `client` and `rpc` call it. The rest is one file per part of the
//! product, then the rules of the house (`architecture`), who may do what (`access`) and what survives a crash (`crash`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says by failing what it expected"
)]
#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    unreachable_pub,
    reason = "nobody calls a test"
)]

mod access;
mod alerts;
mod answers;
mod applications;
mod architecture;
mod certificates;
mod client;
mod commands;
mod company;
mod consequences;
mod crash;
mod demonstration;
mod editions;
mod erased;
mod events;
mod explanations;
mod history;
mod hris;
mod leavers;
mod leaves;
mod matching;
mod rebuild;
mod repairs;
mod replay;
mod roster;
mod rounds;
mod rpc;
mod scim;
mod scoring;
mod sessions;
mod sources;
mod synced;
mod trace;
mod uploads;
mod waiting;
mod world;
