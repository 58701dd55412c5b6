//! The one way into the directory: HR systems open a run, send records, and end it.

use boot::Ground;
use eventlog::{Begun, BoxError, Context, Journal};
use identity::SyncRunId;
use sqlx::PgPool;
use vault::Vault;

use crate::domain::sync_run::State;
use crate::domain::worker::{Answer, FieldIssue, Record, Tombstone, Worker};
use crate::views::sync_runs::{self, Opening, RunRow};
use crate::views::{Views, directory};

/// The most records that are taken at once.
pub(crate) const RECORDS_MAX: usize = 1000;

/// Takes in what HR systems say; cheap to clone.
#[derive(Clone)]
pub(crate) struct Sync {
    pool: PgPool,
    journal: Journal<Views>,
    vault: Vault,
}

/// A worker to be created or replaced.
#[derive(Clone, Debug)]
pub(crate) struct Put {
    /// The record, whose version is numbered by the service.
    pub(crate) worker: Worker,
    /// What looks wrong with it and is taken over all the same.
    pub(crate) noticed: Vec<FieldIssue>,
    /// The etag that the worker must have, empty for any; `*` if there must be none.
    pub(crate) etag: String,
    /// Whether a record without a date of birth leaves the one that is kept as it is.
    pub(crate) keep_birth_date: bool,
}

/// Why a run, or a single worker, is refused as a whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// Nobody added this source.
    #[error("There is no source {0}.")]
    UnknownSource(String),
    /// There is no such run.
    #[error("There is no such run.")]
    UnknownRun,
    /// There is no such worker.
    #[error("The source has no such worker.")]
    UnknownWorker,
    /// The source has an open run.
    #[error("The source has the open run {0}; finish or drop it first.")]
    RunOpen(SyncRunId),
    /// The run has ended or is held.
    #[error("The run is {}; it takes nothing any more.", .0.name())]
    NotOpen(State),
    /// Only a held run is released.
    #[error("The run is {}; only a held one is released.", .0.name())]
    NotHeld(State),
    /// The caller decided on an older state of the worker.
    #[error("The worker was changed since.")]
    Stale,
    /// There is a worker where there should be none.
    #[error("The source has this worker already.")]
    Exists,
    /// Another worker of the source has the user name.
    #[error("Another worker of the source has this user name.")]
    DuplicateUserName,
    /// So much is not taken at once.
    #[error("At most {RECORDS_MAX} records are taken at once.")]
    TooMany,
    /// Something is wrong with us.
    #[error("the directory failed")]
    Failed(#[source] BoxError),
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<eventlog::Error> for Refused {
    fn from(error: eventlog::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Sync {
    /// Ready to take records in.
    pub(crate) fn new(ground: &Ground, journal: Journal<Views>) -> Self {
        Self { pool: ground.pool.clone(), journal, vault: ground.vault.clone() }
    }

    /// Opens a run; the same request again gets the same run.
    pub(crate) async fn open(&self, context: &Context, opening: Opening) -> Result<RunRow, Refused> {
        let mut work = self.begin(context).await?;
        let mut unit = work.unit();
        let conn = unit.conn();
        directory::hold_alone(conn).await?;
        if let Some(request) = opening.request
            && let Some(run) = sync_runs::requested(&mut *conn, &opening.source, request).await?
        {
            return Ok(run);
        }
        if let Some(open) = sync_runs::open_of(&mut *conn, &opening.source, false).await? {
            return Err(Refused::RunOpen(open.run));
        }
        let run = sync_runs::open(conn, SyncRunId::mint(), &opening, context.now).await?;
        work.commit(receipt(run.run)).await?;
        Ok(run)
    }

    /// Takes records into a run: at most [`RECORDS_MAX`], all or none of them, and answers each in their order.
    pub(crate) async fn take(
        &self,
        _context: &Context,
        _run: SyncRunId,
        _records: Vec<Record>,
    ) -> Result<Vec<Answer>, Refused> {
        Err(Refused::Failed("not there yet".into()))
    }

    /// Ends a run of which so many different workers were sent.
    pub(crate) async fn finish(
        &self,
        _context: &Context,
        _run: SyncRunId,
        _expected_workers: i64,
    ) -> Result<RunRow, Refused> {
        Err(Refused::Failed("not there yet".into()))
    }

    /// Lets a held run make its leavers.
    pub(crate) async fn release(&self, _context: &Context, _run: SyncRunId) -> Result<RunRow, Refused> {
        Err(Refused::Failed("not there yet".into()))
    }

    /// Gives a run up; nobody leaves.
    pub(crate) async fn drop(&self, _context: &Context, _run: SyncRunId) -> Result<RunRow, Refused> {
        Err(Refused::Failed("not there yet".into()))
    }

    /// Creates or replaces one worker, whose version is numbered here.
    pub(crate) async fn put(&self, _context: &Context, _source: &str, _put: Put) -> Result<Answer, Refused> {
        Err(Refused::Failed("not there yet".into()))
    }

    /// Ends one worker.
    pub(crate) async fn remove(
        &self,
        _context: &Context,
        _source: &str,
        _external_id: &str,
        _kind: Tombstone,
        _etag: &str,
    ) -> Result<Answer, Refused> {
        Err(Refused::Failed("not there yet".into()))
    }

    async fn begin(&self, context: &Context) -> Result<eventlog::Transaction<Views>, Refused> {
        // A run is found again by its request and a record by its version, so that no key is needed here.
        let context = Context { idempotency: None, expected_version: None, ..context.clone() };
        match self.journal.begin(&context).await.map_err(|error| Refused::Failed(error.into()))? {
            Begun::Work(work) => Ok(work),
            Begun::Replayed(_) => Err(Refused::Failed("a command without a key was replayed".into())),
        }
    }
}

fn receipt(run: SyncRunId) -> eventlog::Receipt {
    eventlog::Receipt { id: run.uuid(), version: 0, position: 0 }
}
