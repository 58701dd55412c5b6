//! The solver against the statement of its problem, an independent solver, and itself from nothing.

mod changes;
mod frontier;
mod instances;
mod optimum;
mod orlib;
mod pruning;
mod questions;
