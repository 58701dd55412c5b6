//! The tables: `project.rs` folds facts into them with what `known.rs` finds there, `outbox.rs` says what is to be sent and what
//! became of it.

mod known;
mod outbox;
mod project;

pub use self::outbox::{
    Closed, Mail, Row, alone, claim, close, compose, contents, list, postpone, suppress, waiting,
};
pub use self::project::project;
