//! A key per subject: seal, open, forget.
//!
//! Free text is sealed before it becomes an event, with a key that belongs to its author or to their
//! tandem. Erasing that key makes every copy unreadable at once, in the log, the read models, the exports
//! and the backups. The keys themselves lie in the schema `vault`, each sealed with the master key, which
//! lies outside of the database: a copy of the database alone opens nothing. Backups of this schema must
//! not outlive the promise to forget, so that it is backed up apart and briefly.
//!
//! Reading order: [`MasterKey`] and the cipher, then [`Vault`].

mod cipher;
mod store;

pub use cipher::{MasterKey, MasterKeyError};
pub use store::{Error, Vault, migrate};
