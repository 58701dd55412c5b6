//! Benchmarks; each prints its ratio against a limit or a peer of the same run.

pub mod series;
