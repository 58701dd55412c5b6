//! Long work in the background: how far it is, what became of which line, and what is wrong with its file.

mod lines;

use identity::{OperationId, SyncRunId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, PgPool, Row};
use uuid::Uuid;

pub use lines::{
    Batch, IssueRow, Place, drop_before, found_so_far, issues, lines_of, note, note_issues, report,
};

use super::{named, unreadable};
use crate::domain::roster::{Issue, Survey};
use crate::domain::sync_run::{Counts, Mode};

/// An operation as it stands.
#[derive(Clone, Debug)]
pub struct OperationRow {
    /// The operation.
    pub operation: OperationId,
    /// `running`, `succeeded` or `failed`.
    pub state: String,
    /// Share done.
    pub progress_percent: i32,
    /// Whether nothing will be written.
    pub dry_run: bool,
    /// What it means that somebody is not in the file.
    pub mode: Mode,
    /// The run that the lines go through.
    pub run: Option<SyncRunId>,
    /// How the file is encoded; empty until it is known.
    pub encoding: String,
    /// What separates its cells; empty until it is known.
    pub delimiter: String,
    /// What became of the lines.
    pub counts: CountsRow,
    /// Why it failed, or why its run is held or aborted; empty otherwise.
    pub detail: String,
    /// How many issues there are.
    pub issue_count: i32,
    /// When it was started.
    pub created_at: Timestamp,
}

/// What became of the lines of a file, as kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct CountsRow {
    /// People first seen.
    pub created: i32,
    /// People changed.
    pub updated: i32,
    /// Lines equal to what is stored.
    pub unchanged: i32,
    /// Lines older than what is stored.
    pub stale: i32,
    /// Lines refused.
    pub rejected: i32,
    /// Lines kept until their day.
    pub scheduled: i32,
    /// People who left because a full snapshot did not mention them, or would.
    pub leavers: i32,
}

impl From<&Counts> for CountsRow {
    fn from(counts: &Counts) -> Self {
        // A file has less than a million lines.
        let whole = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
        Self {
            created: whole(counts.created),
            updated: whole(counts.updated),
            unchanged: whole(counts.unchanged),
            stale: whole(counts.stale),
            rejected: whole(counts.rejected),
            scheduled: whole(counts.scheduled),
            leavers: whole(counts.left),
        }
    }
}

impl FromRow<'_, PgRow> for OperationRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let run: Option<Uuid> = row.try_get("sync_run_id")?;
        Ok(Self {
            operation: OperationId::from_uuid(row.try_get("operation_id")?),
            state: row.try_get("state")?,
            progress_percent: row.try_get("progress_percent")?,
            dry_run: row.try_get("dry_run")?,
            mode: named(row, "mode", &Mode::ALL, Mode::name)?
                .ok_or_else(|| unreadable("mode", "it is null"))?,
            run: run.map(SyncRunId::from_uuid),
            encoding: row.try_get("encoding")?,
            delimiter: row.try_get("delimiter")?,
            counts: CountsRow::from_row(row)?,
            detail: row.try_get("detail")?,
            issue_count: row.try_get("issue_count")?,
            created_at: row.try_get::<jiff_sqlx::Timestamp, _>("created_at")?.to_jiff(),
        })
    }
}

/// Notes that an operation is under way.
///
/// # Errors
/// If the database fails.
pub async fn start(
    conn: &mut PgConnection,
    operation: OperationId,
    runner: Uuid,
    mode: Mode,
    dry_run: bool,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into operations (operation_id, runner, mode, dry_run, created_at) values ($1, $2, $3, $4, $5)",
    )
    .bind(operation.uuid())
    .bind(runner)
    .bind(mode.name())
    .bind(dry_run)
    .bind(now.to_sqlx())
    .execute(conn)
    .await
    .map(drop)
}

/// Notes what a file turned out to be, and the run that its lines go through.
///
/// # Errors
/// If the database fails.
pub async fn opened(
    executor: impl PgExecutor<'_>,
    operation: OperationId,
    run: SyncRunId,
    survey: &Survey,
) -> sqlx::Result<()> {
    sqlx::query(
        "update operations set sync_run_id = $2, encoding = $3, delimiter = $4 where operation_id = $1",
    )
    .bind(operation.uuid())
    .bind(run.uuid())
    .bind(survey.encoding.name())
    .bind(survey.delimiter.to_string())
    .execute(executor)
    .await
    .map(drop)
}

/// Notes that an operation is done; `detail` says why its run is held or aborted.
///
/// # Errors
/// If the database fails.
pub async fn succeed(
    executor: impl PgExecutor<'_>,
    operation: OperationId,
    counts: &Counts,
    detail: &str,
) -> sqlx::Result<()> {
    let counts = CountsRow::from(counts);
    sqlx::query(
        "update operations
         set state = 'succeeded', progress_percent = 100, created = $2, updated = $3, unchanged = $4, stale = $5,
             rejected = $6, scheduled = $7, leavers = $8, detail = $9
         where operation_id = $1 and state = 'running'",
    )
    .bind(operation.uuid())
    .bind(counts.created)
    .bind(counts.updated)
    .bind(counts.unchanged)
    .bind(counts.stale)
    .bind(counts.rejected)
    .bind(counts.scheduled)
    .bind(counts.leavers)
    .bind(detail)
    .execute(executor)
    .await
    .map(drop)
}

/// Notes that an operation broke off.
///
/// # Errors
/// If the database fails.
pub async fn fail(executor: impl PgExecutor<'_>, operation: OperationId, detail: &str) -> sqlx::Result<()> {
    sqlx::query(
        "update operations set state = 'failed', detail = $2 where operation_id = $1 and state = 'running'",
    )
    .bind(operation.uuid())
    .bind(detail)
    .execute(executor)
    .await
    .map(drop)
}

/// Notes that a file was refused as a whole, and why.
///
/// # Errors
/// If the database fails.
pub async fn refuse(pool: &PgPool, operation: OperationId, issues: &[Issue]) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    note_issues(&mut transaction, operation, issues).await?;
    let detail = issues.first().map(Issue::summary).unwrap_or_default();
    fail(&mut *transaction, operation, &detail).await?;
    transaction.commit().await
}

/// Shows others that a process lives, for as long as this session does. Two sessions of one process are no trouble.
///
/// The server ends the session within a minute after the process's machine has vanished.
///
/// # Errors
/// If the database fails.
pub async fn live(session: &mut PgConnection, runner: Uuid) -> sqlx::Result<()> {
    sqlx::query(
        "select set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false),
                set_config('tcp_keepalives_count', '3', false),
                pg_advisory_lock_shared(hashtextextended('imports' || $1::text, 0))",
    )
    .bind(runner)
    .execute(session)
    .await
    .map(drop)
}

/// What other processes left under way that live no more: the files they were reading are gone.
///
/// # Errors
/// If the database fails.
pub async fn orphaned(executor: impl PgExecutor<'_>, runner: Uuid) -> sqlx::Result<Vec<OperationId>> {
    // Whoever lives is asked only once it is known whom to ask.
    let found: Vec<Uuid> = sqlx::query_scalar(
        "with under_way as materialized (
             select operation_id, runner from operations where state = 'running' and runner <> $1
         )
         select operation_id from under_way
         where pg_try_advisory_xact_lock(hashtextextended('imports' || runner::text, 0))",
    )
    .bind(runner)
    .fetch_all(executor)
    .await?;
    Ok(found.into_iter().map(OperationId::from_uuid).collect())
}

/// One operation.
///
/// # Errors
/// If the database fails.
pub async fn find(
    executor: impl PgExecutor<'_>,
    operation: OperationId,
) -> sqlx::Result<Option<OperationRow>> {
    sqlx::query_as("select * from operations where operation_id = $1")
        .bind(operation.uuid())
        .fetch_optional(executor)
        .await
}
