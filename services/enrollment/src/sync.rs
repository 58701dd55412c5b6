//! The one way into the directory: HR systems open a run, send records, and end it.

mod batch;
mod ending;
mod passing;
mod settling;
mod single;

use std::sync::Arc;

use boot::Ground;
use eventlog::{Begun, BoxError, Context, Journal, Receipt, Transaction, Unit};
use identity::SyncRunId;
use jiff::tz::TimeZone;
use sqlx::{PgConnection, PgPool};
use tokio::sync::{Mutex, OwnedMutexGuard};
use vault::Vault;

use crate::domain::register::Moment;
use crate::domain::sync_run::{Mode, State};
use crate::domain::worker::{Answer, Record};
use crate::sync::batch::Taking;
pub(crate) use crate::sync::single::Put;
use crate::views::sync_runs::{self, Opening, RunRow};
use crate::views::{Views, directory, workers};

/// The most records that are taken at once.
pub(crate) const RECORDS_MAX: usize = 1000;

/// Takes in what HR systems say; cheap to clone.
#[derive(Clone)]
pub(crate) struct Sync {
    pool: PgPool,
    journal: Journal<Views>,
    vault: Vault,
    /// Who waits for the directory waits here first, without a database connection, which others need meanwhile.
    turn: Arc<Mutex<()>>,
}

/// A transaction in its turn.
struct Work {
    transaction: Transaction<Views>,
    _turn: OwnedMutexGuard<()>,
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
        Self { pool: ground.pool.clone(), journal, vault: ground.vault.clone(), turn: Arc::default() }
    }

    /// Opens a run; the same request again gets the same run.
    pub(crate) async fn open(&self, context: &Context, opening: Opening) -> Result<RunRow, Refused> {
        let mut work = self.begin(context).await?;
        let mut unit = work.unit();
        let conn = unit.conn();
        directory::hold_alone(conn).await?;
        let sources = workers::sources(&mut *conn).await?;
        if !sources.iter().any(|source| source.name == opening.source) {
            return Err(Refused::UnknownSource(opening.source));
        }
        if let Some(request) = opening.request
            && let Some(run) = sync_runs::requested(&mut *conn, &opening.source, request).await?
        {
            return Ok(run);
        }
        if let Some(open) = sync_runs::open_of(&mut *conn, &opening.source, false).await? {
            return Err(Refused::RunOpen(open.run));
        }
        let run = sync_runs::open(conn, SyncRunId::mint(), &opening, context.now).await?;
        commit(work, &run).await?;
        Ok(run)
    }

    /// Takes records into a run: at most [`RECORDS_MAX`], all or none of them, and answers each in their order. `numbers` tells that
    /// their versions come from the service itself.
    pub(crate) async fn take(
        &self,
        context: &Context,
        run: SyncRunId,
        records: Vec<Record>,
        numbers: bool,
    ) -> Result<Vec<Answer>, Refused> {
        if records.len() > RECORDS_MAX {
            return Err(Refused::TooMany);
        }
        let mut work = self.begin(context).await?;
        let mut unit = work.unit();
        let run = hold(unit.conn(), run).await?;
        if run.state != State::Open || run.mode == Mode::Continuous {
            return Err(Refused::NotOpen(run.state));
        }
        let taking = Taking { moment: Moment { numbers, ..moment(context) }, keep_birth_dates: false };
        let answers = self.batch(&mut unit, &run, &records, taking).await?;
        commit(work, &run).await?;
        Ok(answers)
    }

    async fn begin(&self, context: &Context) -> Result<Work, Refused> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        // A run is found again by its request and a record by its version, so that no key is needed here.
        let context = Context { idempotency: None, expected_version: None, ..context.clone() };
        match self.journal.begin(&context).await.map_err(|error| Refused::Failed(error.into()))? {
            Begun::Work(transaction) => Ok(Work { transaction, _turn: turn }),
            Begun::Replayed(_) => Err(Refused::Failed("a command without a key was replayed".into())),
        }
    }
}

/// Holds the directory and reads a run, which stays as it is until the transaction ends.
async fn hold(conn: &mut PgConnection, run: SyncRunId) -> Result<RunRow, Refused> {
    directory::hold_alone(conn).await?;
    sync_runs::find(conn, run).await?.ok_or(Refused::UnknownRun)
}

impl Work {
    fn unit(&mut self) -> Unit<'_, Views> {
        self.transaction.unit()
    }

    async fn commit(self, receipt: Receipt) -> Result<(), Refused> {
        self.transaction.commit(receipt).await?;
        Ok(())
    }
}

async fn commit(work: Work, run: &RunRow) -> Result<(), Refused> {
    work.commit(Receipt { id: run.run.uuid(), version: 0, position: 0 }).await
}

/// When records are taken: days begin in Greenwich, as a source may have people in several zones.
fn moment(context: &Context) -> Moment {
    let today = context.now.to_zoned(TimeZone::UTC).date();
    Moment { now: context.now, today, grace_days: 0, numbers: false }
}

#[cfg(test)]
mod tests;
