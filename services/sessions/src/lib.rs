//! What a tandem does: sessions.
pub mod codec;
pub mod domain;
