//! Match runs and tandems.

pub mod domain;
