//! Long work in the background: how far it is, and what is wrong with its file.

use identity::OperationId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{FromRow, PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use crate::domain::roster::Issue;

/// An operation as it stands.
#[derive(Clone, Debug, FromRow)]
pub struct OperationRow {
    /// The operation.
    pub operation_id: Uuid,
    /// `running`, `succeeded` or `failed`.
    pub state: String,
    /// Share done.
    pub progress_percent: i32,
    /// Whether nothing will be written.
    pub dry_run: bool,
    /// What became of the lines.
    #[sqlx(flatten)]
    pub counts: Counts,
    /// The first issue; empty unless failed.
    pub detail: String,
    /// How many issues there are.
    pub issue_count: i32,
    /// When it was started.
    pub created_at: jiff_sqlx::Timestamp,
}

/// What became of the lines of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Counts {
    /// People first seen.
    pub created: i32,
    /// People changed.
    pub updated: i32,
    /// Lines equal to what is stored.
    pub unchanged: i32,
    /// Lines refused.
    pub rejected: i32,
}

/// One thing wrong with a file, as kept.
#[derive(Clone, Debug, FromRow)]
pub struct IssueRow {
    /// Its place in the list, from 0.
    pub ordinal: i32,
    /// The line in the file, from 1.
    pub line: i32,
    /// The column by its header.
    pub column_name: String,
    /// Machine code.
    pub code: String,
    /// One sentence.
    pub detail: String,
}

/// Notes that an operation is under way.
///
/// # Errors
/// If the database fails.
pub async fn start(
    conn: &mut PgConnection,
    operation: OperationId,
    runner: Uuid,
    dry_run: bool,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("insert into operations (operation_id, runner, dry_run, created_at) values ($1, $2, $3, $4)")
        .bind(operation.uuid())
        .bind(runner)
        .bind(dry_run)
        .bind(now.to_sqlx())
        .execute(conn)
        .await
        .map(drop)
}

/// Notes how far an operation is.
///
/// # Errors
/// If the database fails.
pub async fn progress(
    executor: impl PgExecutor<'_>,
    operation: OperationId,
    percent: i32,
) -> sqlx::Result<()> {
    sqlx::query("update operations set progress_percent = $2 where operation_id = $1")
        .bind(operation.uuid())
        .bind(percent)
        .execute(executor)
        .await
        .map(drop)
}

/// Notes that an operation is done.
///
/// # Errors
/// If the database fails.
pub async fn succeed(
    executor: impl PgExecutor<'_>,
    operation: OperationId,
    counts: Counts,
) -> sqlx::Result<()> {
    sqlx::query(
        "update operations
         set state = 'succeeded', progress_percent = 100, created = $2, updated = $3, unchanged = $4
         where operation_id = $1",
    )
    .bind(operation.uuid())
    .bind(counts.created)
    .bind(counts.updated)
    .bind(counts.unchanged)
    .execute(executor)
    .await
    .map(drop)
}

/// Notes that an operation failed without anything wrong with its file.
///
/// If the connection was lost over the commit, the operation may have succeeded all the same; then that stands.
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
pub async fn reject(pool: &PgPool, operation: OperationId, issues: &[Issue]) -> sqlx::Result<()> {
    let whole = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let mut lines: Vec<i32> = issues.iter().map(|issue| whole(issue.line)).collect();
    let mut transaction = pool.begin().await?;
    sqlx::query(
        "insert into operation_issues (operation_id, ordinal, line, column_name, code, detail)
         select $1, issue.ordinal - 1, issue.line, issue.column_name, issue.code, issue.detail
         from unnest($2::integer[], $3::text[], $4::text[], $5::text[]) with ordinality
             as issue (line, column_name, code, detail, ordinal)
         on conflict do nothing",
    )
    .bind(operation.uuid())
    .bind(&lines)
    .bind(issues.iter().map(|issue| issue.column.as_str()).collect::<Vec<_>>())
    .bind(issues.iter().map(|issue| issue.code).collect::<Vec<_>>())
    .bind(issues.iter().map(|issue| issue.detail.as_str()).collect::<Vec<_>>())
    .execute(&mut *transaction)
    .await?;

    lines.sort_unstable();
    lines.dedup();
    sqlx::query(
        "update operations set state = 'failed', rejected = $2, issue_count = $3, detail = $4 where operation_id = $1",
    )
    .bind(operation.uuid())
    .bind(whole(lines.len()))
    .bind(whole(issues.len()))
    .bind(issues.first().map(Issue::summary).unwrap_or_default())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

/// Ends what an earlier process left under way: the files it was reading are gone.
///
/// # Errors
/// If the database fails.
pub async fn abandon(executor: impl PgExecutor<'_>, runner: Uuid) -> sqlx::Result<()> {
    sqlx::query(
        "update operations
         set state = 'failed', detail = 'The service was restarted before the import was done; nothing was changed.'
         where state = 'running' and runner <> $1",
    )
    .bind(runner)
    .execute(executor)
    .await
    .map(drop)
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

/// A page of the issues of an operation, by line.
///
/// # Errors
/// If the database fails.
pub async fn issues(
    executor: impl PgExecutor<'_>,
    operation: OperationId,
    after: Option<i32>,
    limit: i64,
) -> sqlx::Result<Vec<IssueRow>> {
    sqlx::query_as(
        "select * from operation_issues
         where operation_id = $1 and ($2::integer is null or ordinal > $2)
         order by ordinal
         limit $3",
    )
    .bind(operation.uuid())
    .bind(after)
    .bind(limit)
    .fetch_all(executor)
    .await
}
