//! The upload of the programme office: a file in the background, as a run of the source `roster`, line by line.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use boot::Ground;
use eventlog::{BoxError, Context};
use identity::{OperationId, SyncRunId};
use jiff::{SignedDuration, Timestamp};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use uuid::Uuid;

use crate::domain::roster::{self, Entry, Issue, Survey, report};
use crate::domain::sync_run::{Counts, Mode, State};
use crate::domain::worker::{Answer, FieldIssue, Outcome};
use crate::sync::{RECORDS_MAX, Refused, Sync};
use crate::views::operations::{self, Batch};
use crate::views::sync_runs::{self, Opening};
use crate::views::workers;

/// The source whose records the files of the office are.
pub(crate) const SOURCE: &str = "roster";

/// How long operations and their reports are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// So many files are in memory at most: the one that is taken in, and those that wait for it.
const FILES_MAX: usize = 4;

/// How long to wait before an outcome that could not be noted is noted again.
const NOTE_AGAIN: Duration = Duration::from_secs(1);

/// A roster on its way in.
pub(crate) struct Import {
    /// Where its progress is noted.
    pub(crate) operation: OperationId,
    /// The file.
    pub(crate) file: Vec<u8>,
    /// What it means that somebody is not in it.
    pub(crate) mode: Mode,
    /// Whether everything is looked at and nothing changed.
    pub(crate) dry_run: bool,
    /// The per cent of active people that a full snapshot may turn into leavers.
    pub(crate) leavers_percent_max: i32,
    /// How many people the file should hold, if its sender knows.
    pub(crate) expected_people: Option<usize>,
    /// Who imports it, and when.
    pub(crate) context: Context,
    /// Its place among the files in memory.
    pub(crate) place: OwnedSemaphorePermit,
}

/// Takes rosters in.
#[derive(Clone)]
pub(crate) struct Imports {
    pool: PgPool,
    sync: Sync,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    /// Waiting here costs no database connection.
    one_at_a_time: Arc<Mutex<()>>,
    places: Arc<Semaphore>,
    /// Tells this process from others, those before it and those beside it.
    pub(crate) runner: Uuid,
    /// The session by which others see that this process lives, once it has taken a file in.
    life: Arc<Mutex<Option<PgConnection>>>,
}

/// Why a roster was not taken in to its end.
enum Failure {
    /// Something is wrong with the file as a whole.
    File(Vec<Issue>),
    /// The directory does not take it, or not any more.
    Directory(Refused),
    /// The process is to end.
    Stopping,
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Directory(refused)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Directory(Refused::Failed(error.into()))
    }
}

impl Imports {
    /// Ready to take rosters in.
    pub(crate) fn new(ground: &Ground, sync: Sync) -> Self {
        Self {
            pool: ground.pool.clone(),
            sync,
            tasks: ground.tasks.clone(),
            shutdown: ground.shutdown.clone(),
            one_at_a_time: Arc::default(),
            places: Arc::new(Semaphore::new(FILES_MAX)),
            runner: OperationId::mint().uuid(),
            life: Arc::default(),
        }
    }

    /// Makes sure that others see this process live, for as long as its session does.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn live(&self) -> sqlx::Result<()> {
        let mut life = self.life.lock().await;
        if let Some(session) = &mut *life
            && session.ping().await.is_ok()
        {
            return Ok(());
        }
        let mut session = self.pool.acquire().await?.detach();
        operations::live(&mut session, self.runner).await?;
        *life = Some(session);
        Ok(())
    }

    /// Shows again that this process lives, ends what processes left under way that live no more, and forgets what is old.
    pub(crate) async fn tidy(&self, now: Timestamp) -> Result<(), BoxError> {
        if self.life.lock().await.is_some() {
            self.live().await?;
        }
        let context = Context { now, actor: None, idempotency: None, expected_version: None };
        for operation in operations::orphaned(&self.pool, self.runner).await? {
            self.close(&context, operation).await?;
            let detail = "The service was restarted before the import was done; what was taken over by then stands. \
                          Send the file again.";
            operations::fail(&self.pool, operation, detail).await?;
        }
        let oldest = now.saturating_sub(KEPT)?;
        Ok(operations::drop_before(&self.pool, oldest).await?)
    }

    /// A place for one more file; none if there are enough.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Takes a roster in, in the background. When the process is to end, it ends between two batches.
    pub(crate) fn start(&self, import: Import) {
        let imports = self.clone();
        self.tasks.spawn(async move { imports.run(import).await }.in_current_span());
    }

    /// Takes a roster in and notes the outcome.
    async fn run(&self, import: Import) {
        let operation = import.operation;
        let why = match self.take_in(import).await {
            Ok((counts, detail)) => {
                return self.insist(|| operations::succeed(&self.pool, operation, &counts, &detail)).await;
            }
            Err(Failure::File(issues)) => {
                return self.insist(|| operations::refuse(&self.pool, operation, &issues)).await;
            }
            Err(Failure::Directory(Refused::Failed(error))) => {
                tracing::error!(error, %operation, "an import failed");
                "Something broke on our side.".to_owned()
            }
            Err(Failure::Directory(refused)) => refused.to_string(),
            Err(Failure::Stopping) => "The service was stopped.".to_owned(),
        };
        let detail = format!("{why} What was taken over by then stands; send the file again.");
        self.insist(|| operations::fail(&self.pool, operation, &detail)).await;
    }

    /// Notes something as soon as the database answers; a process that is to end tries once and leaves it to others.
    async fn insist<E: Error + 'static, F: Future<Output = Result<(), E>>>(&self, note: impl Fn() -> F) {
        while let Err(error) = note().await {
            tracing::warn!(
                error = &error as &dyn Error,
                "an operation's outcome was not noted; it is tried again"
            );
            let again = tokio::time::sleep(NOTE_AGAIN);
            if self.shutdown.run_until_cancelled(again).await.is_none() {
                return;
            }
        }
    }

    /// Looks the file through, and sends its lines through a run; answers with what became of them, and why nobody left where
    /// somebody should have.
    async fn take_in(&self, import: Import) -> Result<(Counts, String), Failure> {
        let Import {
            operation,
            file,
            mode,
            dry_run,
            leavers_percent_max,
            expected_people,
            context,
            place: _place,
        } = import;
        let looked = tokio::task::spawn_blocking(move || {
            let survey = roster::survey(&file, expected_people);
            (file, survey)
        });
        let (file, survey) = looked.await.map_err(|error| Refused::Failed(error.into()))?;
        let survey = survey.map_err(Failure::File)?;

        let turn = self.shutdown.run_until_cancelled(self.one_at_a_time.lock()).await;
        let _turn = turn.ok_or(Failure::Stopping)?;
        let source = SOURCE.to_owned();
        let request = Some(operation.uuid());
        let opening = Opening { source, mode, dry_run, request, leavers_percent_max };
        let passed = async {
            let run = self.sync.open(&context, opening).await?.run;
            let passage = Passage { imports: self, operation, run, context: &context, survey: &survey };
            passage.walk(&file).await
        }
        .await;
        if passed.is_err() {
            // Until its run is closed, no other file can be taken in.
            self.insist(|| self.close(&context, operation)).await;
        }
        passed
    }

    /// Closes the run of an import that sends nothing any more, if it has one that is open: the import may not have noted it.
    async fn close(&self, context: &Context, operation: OperationId) -> Result<(), Refused> {
        let run = sync_runs::requested(&self.pool, SOURCE, operation.uuid()).await?;
        let Some(open) = run.filter(|run| run.state == State::Open) else { return Ok(()) };
        match self.sync.drop(context, open.run).await {
            // Somebody was faster.
            Ok(_) | Err(Refused::NotOpen(_)) => Ok(()),
            Err(refused) => Err(refused),
        }
    }
}

/// A file on its way through a run.
struct Passage<'a> {
    imports: &'a Imports,
    operation: OperationId,
    run: SyncRunId,
    context: &'a Context,
    survey: &'a Survey,
}

impl Passage<'_> {
    async fn walk(&self, file: &[u8]) -> Result<(Counts, String), Failure> {
        let pool = &self.imports.pool;
        operations::opened(pool, self.operation, self.run, self.survey).await?;
        // The run is open and the only one, so that a later upload has a greater number. The office may have ended somebody, and
        // another client of the source may count in milliseconds: what a file says now is newer than either.
        let upload = workers::next_version(pool, SOURCE).await?;
        let mut records = self.survey.records(file, upload.unsigned_abs());
        let (mut counts, mut done, mut noticed) = (Counts::default(), 0, self.survey.noticed.clone());
        for ordinal in 0.. {
            let entries: Vec<Entry> = records.by_ref().take(RECORDS_MAX).collect();
            if entries.is_empty() {
                break;
            }
            if self.imports.shutdown.is_cancelled() {
                return Err(Failure::Stopping);
            }
            done += entries.len();
            let batch = self.send(ordinal, entries, &mut counts, std::mem::take(&mut noticed)).await?;
            // The end of the run is a part of the work.
            let percent = i32::try_from(done * 99 / self.survey.lines).unwrap_or(99);
            operations::note(pool, self.operation, &batch, &counts, percent).await?;
        }
        let found_before = operations::found_so_far(pool, self.run).await?;
        let people = i64::try_from(self.survey.people).unwrap_or(i64::MAX);
        let run = self.imports.sync.finish(self.context, self.run, people).await?;
        self.note_found(found_before).await?;
        Ok((run.counts, run.detail))
    }

    /// Sends lines through the run.
    async fn send(
        &self,
        ordinal: i32,
        entries: Vec<Entry>,
        counts: &mut Counts,
        noticed: Vec<Issue>,
    ) -> Result<Batch, Failure> {
        let (mut batch, mut records) = (Batch { ordinal, issues: noticed, ..Batch::default() }, Vec::new());
        for Entry { line, key, record } in entries {
            batch.lines.push(i32::try_from(line).unwrap_or(i32::MAX));
            batch.keys.push(key);
            records.push(record);
        }
        let answers = self.imports.sync.take(self.context, self.run, records, true).await?;
        for (place, Answer { outcome, issues, .. }) in answers.into_iter().enumerate() {
            counts.note(outcome);
            batch.outcomes.push(report::outcome(outcome));
            let refused = outcome == Outcome::Rejected;
            let (line, key) = (batch.lines[place].unsigned_abs(), &batch.keys[place]);
            let told = issues.into_iter().map(|issue| self.issue(line, key, issue, refused));
            batch.issues.extend(told);
        }
        Ok(batch)
    }

    /// What is found only at the end, as about the reporting line, by the lines it is about.
    async fn note_found(&self, mut after: Option<i64>) -> Result<(), Failure> {
        let pool = &self.imports.pool;
        let page = i64::try_from(RECORDS_MAX).unwrap_or(i64::MAX);
        loop {
            let found = sync_runs::issues(pool, self.run, after, page).await?;
            let Some(last) = found.last() else { return Ok(()) };
            after = Some(last.ordinal);
            // What is about the whole run has no key, and so have lines whose number cannot be read.
            let keys = found.iter().map(|issue| issue.external_id.as_str()).filter(|key| !key.is_empty());
            let keys: Vec<&str> = keys.collect();
            let lines: HashMap<_, _> =
                operations::lines_of(pool, self.operation, &keys).await?.into_iter().collect();
            let issues: Vec<Issue> = found
                .into_iter()
                .map(|found| Issue {
                    line: lines.get(&found.external_id).map_or(0, |line| line.unsigned_abs() as usize),
                    key: found.external_id,
                    column: self.survey.column_of(&found.field).to_owned(),
                    code: found.reason,
                    detail: found.message,
                    refused: found.refused,
                })
                .collect();
            let mut conn = pool.acquire().await?;
            operations::note_issues(&mut conn, self.operation, &issues).await?;
        }
    }

    fn issue(&self, line: u32, key: &str, issue: FieldIssue, refused: bool) -> Issue {
        Issue {
            line: line as usize,
            key: key.to_owned(),
            column: self.survey.column_of(&issue.field).to_owned(),
            code: issue.reason.to_owned(),
            detail: issue.message,
            refused,
        }
    }
}
