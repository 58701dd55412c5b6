//! The gateway over real HTTP, in front of a gRPC server whose answers a test writes down.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod connections;
mod document;
mod harness;
mod reads;
mod refusals;
mod scim;
mod sign_in;
