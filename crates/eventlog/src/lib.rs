//! The event log on Postgres: append, inline views, and an ordered feed without gaps.
//!
//! Reading order:
//!
//! 1. `record.rs` — what an event is, as drafted and as recorded;
//! 2. `command.rs` — what a service implements to decide, and the answers to a command;
//! 3. `journal.rs`, `many.rs` — a command from load to commit, alone or together with others;
//! 4. `appender.rs`, `instruments.rs` — many commands in one commit, and what is measured of them;
//! 5. `stream.rs`, `append.rs`, `idempotency.rs` — the SQL of it;
//! 6. `watermark.rs` — up to which position the log can no longer change;
//! 7. `feed.rs`, `follower.rs` — delivery to the consumers, once and in order, as they and a process see it;
//! 8. `tailer.rs`, `tail.rs`, `wake.rs` — the end of the log, read once for all consumers of a process;
//! 9. `consumer.rs`, `lane.rs`, `ahead.rs`, `effect.rs`, `checkpoint.rs`, `standing.rs` — one consumer at work, its leases, and what is told of it;
//! 10. `patches.rs` — how views and followers change their tables;
//! 11. `page.rs`, `snapshot.rs`, `archive.rs`, `segment.rs` — how a log grows old.
//!
//! All SQL names the schema `eventlog`, because every caller connects with a search path of its own.

mod ahead;
mod append;
mod appender;
mod archive;
mod checkpoint;
mod command;
mod consumer;
mod effect;
mod feed;
mod follower;
mod idempotency;
mod instruments;
mod journal;
mod lane;
mod many;
mod page;
mod patches;
mod record;
pub mod rehearsal;
mod segment;
mod snapshot;
mod standing;
mod stream;
mod tail;
mod tailer;
mod turns;
mod wake;
mod watermark;

use std::sync::Arc;

use sqlx::PgPool;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

pub use append::{Append, Outcome};
pub use appender::Appender;
pub use archive::{Archived, archive, relocate};
pub use checkpoint::{Poison, Reached, reached};
pub use command::{Aggregate, BeginError, CommandError, Context, Idempotency, Receipt, Views};
pub use feed::{Behind, Feed};
pub use follower::Follower;
pub use journal::{Begun, Journal, Transaction, Unit};
pub use page::{head, read};
pub use patches::{Patches, Table, bytes};
pub use record::{Corrupt, Draft, Meta, Recorded, StreamId};
pub use segment::SegmentError;
pub use snapshot::Snapshots;
pub use standing::{Heads, Progress};
pub use wake::Wake;
pub use watermark::settled;

/// The error of a view or a follower: any, since only its text is of interest here.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A failure of the log itself, none of the caller's doing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is away, or refused a statement.
    #[error("the event log's database failed")]
    Database(#[from] sqlx::Error),
    /// A stored event cannot be read by this version of the program.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// An archived event cannot be had.
    #[error(transparent)]
    Archive(#[from] SegmentError),
    /// A view could not take in an event that was about to be recorded.
    #[error("a view could not take in the event {name}")]
    View {
        /// The full name of the event.
        name: String,
        /// What the view said.
        source: BoxError,
    },
    /// A failure that met several callers of one commit.
    #[error(transparent)]
    Shared(Arc<Self>),
    /// The schema could not be brought up to date.
    #[error("the event log could not be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A follower keeps failing at its next event.
    #[error("the follower {follower} does not get past position {position}")]
    Stuck {
        /// The name of the follower.
        follower: &'static str,
        /// The last position it has passed.
        position: i64,
    },
}

impl Error {
    /// Tells whether the database refused a statement and so has undone the transaction for certain.
    ///
    /// When it ends the connection instead, it may have committed.
    fn is_undone(&self) -> bool {
        let refused = |error: &sqlx::Error| {
            let error =
                error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
            error.is_some_and(|error| error.severity() == PgSeverity::Error)
        };
        match self {
            Self::Database(error) => refused(error),
            Self::View { source, .. } => source.downcast_ref().is_none_or(refused),
            _ => false,
        }
    }

    /// Tells whether a transaction lost a race, so that doing it again may succeed.
    fn is_conflict(&self) -> bool {
        match self {
            Self::Database(error) => lost_race(error),
            Self::View { source, .. } => source.downcast_ref().is_some_and(lost_race),
            Self::Shared(error) => error.is_conflict(),
            _ => false,
        }
    }
}

fn lost_race(error: &sqlx::Error) -> bool {
    const SERIALIZATION_FAILURE: &str = "40001";
    const DEADLOCK_DETECTED: &str = "40P01";
    error.as_database_error().is_some_and(|error| {
        matches!(error.constraint(), Some("events_next_version" | "idempotency_pkey"))
            || matches!(error.code().as_deref(), Some(SERIALIZATION_FAILURE | DEADLOCK_DETECTED))
    })
}

/// Brings the schema `eventlog` up to date.
///
/// The pool connects as the owner of the schema; the schema and the group role `updraft_service` exist already.
///
/// # Errors
///
/// [`Error::Migration`] if the database is away, a statement fails, or an applied migration was edited since.
pub async fn migrate(pool: &PgPool) -> Result<(), Error> {
    let mut migrator = sqlx::migrate!();
    migrator.dangerous_set_table_name("eventlog._sqlx_migrations");
    Ok(migrator.run(pool).await?)
}
