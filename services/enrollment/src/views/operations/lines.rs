//! What became of the lines of a file: batch by batch as they are taken in, and by line as they are reported.

use identity::{OperationId, SyncRunId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, PgPool, Row};

use super::CountsRow;
use crate::domain::roster::Issue;
use crate::domain::roster::report::ReportRow;
use crate::domain::sync_run::Counts;

/// Lines that were answered together, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Its place among the batches, from 0.
    pub ordinal: i32,
    /// The lines.
    pub lines: Vec<i32>,
    /// The employee number of each; empty if it cannot be read.
    pub keys: Vec<String>,
    /// What was done with each.
    pub outcomes: Vec<&'static str>,
    /// What is wrong with them.
    pub issues: Vec<Issue>,
}

/// One thing wrong with a file, as kept.
#[derive(Clone, Debug, FromRow)]
pub struct IssueRow {
    /// Its place in the order in which they were found, from 0.
    pub ordinal: i32,
    /// The line in the file, from 1.
    pub line: i32,
    /// The employee number.
    pub key: String,
    /// The column by its header.
    pub column_name: String,
    /// Machine code.
    pub code: String,
    /// One sentence.
    pub detail: String,
    /// Whether the line was refused.
    pub refused: bool,
}

/// Notes what became of a batch, and how far the operation is.
///
/// # Errors
/// If the database fails.
pub async fn note(
    pool: &PgPool,
    operation: OperationId,
    batch: &Batch,
    counts: &Counts,
    progress_percent: i32,
) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    sqlx::query(
        "insert into operation_lines (operation_id, ordinal, last_line, lines, keys, outcomes)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(operation.uuid())
    .bind(batch.ordinal)
    .bind(batch.lines.last())
    .bind(&batch.lines)
    .bind(&batch.keys)
    .bind(&batch.outcomes)
    .execute(&mut *transaction)
    .await?;
    note_issues(&mut transaction, operation, &batch.issues).await?;
    let counts = CountsRow::from(counts);
    sqlx::query(
        "update operations
         set created = $2, updated = $3, unchanged = $4, stale = $5, rejected = $6, scheduled = $7, progress_percent = $8
         where operation_id = $1",
    )
    .bind(operation.uuid())
    .bind(counts.created)
    .bind(counts.updated)
    .bind(counts.unchanged)
    .bind(counts.stale)
    .bind(counts.rejected)
    .bind(counts.scheduled)
    .bind(progress_percent)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

/// Notes what is wrong, after what was found before.
///
/// # Errors
/// If the database fails.
pub async fn note_issues(
    conn: &mut PgConnection,
    operation: OperationId,
    issues: &[Issue],
) -> sqlx::Result<()> {
    if issues.is_empty() {
        return Ok(());
    }
    let each = |text: fn(&Issue) -> &str| issues.iter().map(text).collect::<Vec<_>>();
    sqlx::query(
        "with counted as (
             update operations set issue_count = issue_count + cardinality($2::integer[])
             where operation_id = $1
             returning issue_count - cardinality($2::integer[]) as before
         )
         insert into operation_issues (operation_id, ordinal, line, key, column_name, code, detail, refused)
         select $1, counted.before + issue.ordinal - 1, issue.line, issue.key, issue.column_name, issue.code,
                issue.detail, issue.refused
         from counted,
              unnest($2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[]) with ordinality
                  as issue (line, key, column_name, code, detail, refused, ordinal)",
    )
    .bind(operation.uuid())
    .bind(issues.iter().map(|issue| i32::try_from(issue.line).unwrap_or(i32::MAX)).collect::<Vec<_>>())
    .bind(each(|issue| &issue.key))
    .bind(each(|issue| &issue.column))
    .bind(each(|issue| &issue.code))
    .bind(each(|issue| &issue.detail))
    .bind(issues.iter().map(|issue| issue.refused).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}

/// The place of the last issue that was found in a run by now.
///
/// # Errors
/// If the database fails.
pub async fn found_so_far(executor: impl PgExecutor<'_>, run: SyncRunId) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("select max(ordinal) from sync_issues where sync_run_id = $1")
        .bind(run.uuid())
        .fetch_one(executor)
        .await
}

/// The lines in which these employee numbers stand, as far as they do.
///
/// # Errors
/// If the database fails.
pub async fn lines_of(
    executor: impl PgExecutor<'_>,
    operation: OperationId,
    keys: &[&str],
) -> sqlx::Result<Vec<(String, i32)>> {
    sqlx::query_as(
        "select entry.key, min(entry.line)
         from operation_lines, unnest(lines, keys) as entry (line, key)
         where operation_id = $1 and entry.key = any ($2)
         group by entry.key",
    )
    .bind(operation.uuid())
    .bind(keys)
    .fetch_all(executor)
    .await
}

/// A page of the issues of an operation, by line.
///
/// # Errors
/// If the database fails.
pub async fn issues(
    executor: impl PgExecutor<'_>,
    operation: OperationId,
    after: Option<(i32, i32)>,
    limit: i64,
) -> sqlx::Result<Vec<IssueRow>> {
    let (line, ordinal) = after.unzip();
    sqlx::query_as(
        "select * from operation_issues
         where operation_id = $1 and ($2::integer is null or (line, ordinal) > ($2, $3))
         order by line, ordinal
         limit $4",
    )
    .bind(operation.uuid())
    .bind(line)
    .bind(ordinal)
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// How far a report was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The batch that comes next.
    ordinal: i32,
    /// The last line that was read.
    line: i32,
}

impl Place {
    /// Where a report begins: with the line 0, which stands for people who are not in the file.
    pub const BEGINNING: Self = Self { ordinal: 0, line: -1 };
}

/// The next part of a report, about a thousand rows by line, and where it goes on; nowhere after the last.
///
/// # Errors
/// If the database fails.
pub async fn report(
    pool: &PgPool,
    operation: OperationId,
    place: Place,
) -> sqlx::Result<(Vec<ReportRow>, Option<Place>)> {
    let last: Option<i32> =
        sqlx::query_scalar("select last_line from operation_lines where operation_id = $1 and ordinal = $2")
            .bind(operation.uuid())
            .bind(place.ordinal)
            .fetch_optional(pool)
            .await?;
    let rows = sqlx::query_as(
        "with entry as (
             select entry.*
             from operation_lines, unnest(lines, keys, outcomes) as entry (line, key, outcome)
             where operation_id = $1 and ordinal = $2
         ), issue as (
             select * from operation_issues where operation_id = $1 and line > $3 and line <= $4
         )
         select coalesce(entry.line, issue.line) as line, coalesce(entry.key, issue.key) as key,
                coalesce(entry.outcome, '') as outcome, coalesce(issue.column_name, '') as column_name,
                coalesce(issue.code, '') as code, coalesce(issue.detail, '') as detail
         from entry full join issue on issue.line = entry.line
         order by 1, issue.ordinal",
    )
    .bind(operation.uuid())
    .bind(place.ordinal)
    .bind(place.line)
    .bind(last.unwrap_or(i32::MAX))
    .fetch_all(pool)
    .await?;
    Ok((rows, last.map(|line| Place { ordinal: place.ordinal + 1, line })))
}

impl FromRow<'_, PgRow> for ReportRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            line: row.try_get("line")?,
            key: row.try_get("key")?,
            outcome: row.try_get("outcome")?,
            column: row.try_get("column_name")?,
            code: row.try_get("code")?,
            detail: row.try_get("detail")?,
        })
    }
}

/// Forgets what was started before a time and has ended: reports name people by their numbers.
///
/// # Errors
/// If the database fails.
pub async fn drop_before(executor: impl PgExecutor<'_>, time: Timestamp) -> sqlx::Result<()> {
    sqlx::query("delete from operations where created_at < $1 and state <> 'running'")
        .bind(time.to_sqlx())
        .execute(executor)
        .await
        .map(drop)
}
