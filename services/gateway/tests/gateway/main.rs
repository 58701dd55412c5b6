//! The gateway over real HTTP, in front of a gRPC server whose answers a test writes down.

mod commands;
mod harness;
mod reads;
mod refusals;
mod sign_in;
