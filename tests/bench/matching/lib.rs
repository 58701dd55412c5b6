//! Instances for the race of the matching solvers, and how a run is measured; shared by the drivers written in Rust.

mod family;
mod instance;
mod measure;
mod people;
mod random;

pub use family::Family;
pub use instance::{COST_BASE, Instance, read_answer, write_answer};
pub use measure::{Gauge, REPEAT_SECONDS, cpu_seconds};
pub use random::Random;
