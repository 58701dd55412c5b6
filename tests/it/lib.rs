//! Behaviours of the composed system; everything is in the test binary `main.rs`.
