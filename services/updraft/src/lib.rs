//! Every service of Updraft in one process, over real gRPC, and the operator's commands.
//!
//! Reading order: [`house`] is the one place that knows all services; [`run`] serves them; [`demo`] plays an edition over REST;
//! [`token`], [`replay`] and [`database`] are for operators.

pub mod database;
pub mod demo;
pub mod house;
pub mod replay;
pub mod run;
pub mod token;
