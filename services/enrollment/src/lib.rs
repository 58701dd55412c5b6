//! People, editions, applications and obligations.

pub mod codec;
pub mod domain;
pub mod views;
