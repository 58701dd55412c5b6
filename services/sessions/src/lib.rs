//! What a tandem does: sessions.
pub mod domain;
