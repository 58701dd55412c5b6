//! The private Postgres and its database, tried on real ones.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

mod database;
mod postgres;
mod serving;
mod support;
