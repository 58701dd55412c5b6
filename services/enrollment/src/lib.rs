//! People, editions, applications and obligations.

pub mod domain;
