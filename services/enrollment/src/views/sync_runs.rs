//! The runs of the HR systems: where they are, what became of their records, what was found.

use identity::SyncRunId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, Row};

use super::{named, unreadable};
use crate::domain::sync_run::{Counts, Mode, State};

/// A run as it stands.
#[derive(Clone, Debug)]
pub struct RunRow {
    /// The run.
    pub run: SyncRunId,
    /// Whose workers it is about.
    pub source: String,
    /// What absence means.
    pub mode: Mode,
    /// Whether nothing is changed.
    pub dry_run: bool,
    /// The per cent of active workers that may leave at once.
    pub leavers_percent_max: i32,
    /// Where it is.
    pub state: State,
    /// Why it is held or aborted; empty otherwise.
    pub detail: String,
    /// What became of the records.
    pub counts: Counts,
    /// How many active workers its source had when it was opened; of a snapshot only.
    pub active_at_opening: i64,
    /// The same without those of earlier snapshots that did not stand: of these only so many may leave.
    pub active_before: i64,
    /// The last batch before it was opened.
    pub opened_after: i64,
    /// Whether leavers are still to be made.
    pub leaving: bool,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When anything came last.
    pub touched_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl FromRow<'_, PgRow> for RunRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let time = |column| row.try_get::<jiff_sqlx::Timestamp, _>(column).map(jiff_sqlx::Timestamp::to_jiff);
        let ended_at: Option<jiff_sqlx::Timestamp> = row.try_get("ended_at")?;
        Ok(Self {
            run: SyncRunId::from_uuid(row.try_get("sync_run_id")?),
            source: row.try_get("source_id")?,
            mode: named(row, "mode", &Mode::ALL, Mode::name)?
                .ok_or_else(|| unreadable("mode", "it is null"))?,
            dry_run: row.try_get("dry_run")?,
            leavers_percent_max: row.try_get("leavers_percent_max")?,
            state: named(row, "state", &State::ALL, State::name)?
                .ok_or_else(|| unreadable("state", "it is null"))?,
            detail: row.try_get("detail")?,
            counts: counts(row)?,
            active_at_opening: row.try_get("active_at_opening")?,
            active_before: row.try_get("active_before")?,
            opened_after: row.try_get("opened_after")?,
            leaving: row.try_get("leaving")?,
            created_at: time("created_at")?,
            touched_at: time("touched_at")?,
            ended_at: ended_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

fn counts(row: &PgRow) -> sqlx::Result<Counts> {
    Ok(Counts {
        received: row.try_get("received")?,
        created: row.try_get("created")?,
        updated: row.try_get("updated")?,
        unchanged: row.try_get("unchanged")?,
        stale: row.try_get("stale")?,
        rejected: row.try_get("rejected")?,
        removed: row.try_get("removed")?,
        scheduled: row.try_get("scheduled")?,
        workers: row.try_get("workers")?,
        left: row.try_get("leavers")?,
        issues: row.try_get("issues")?,
    })
}

/// A run to be opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Whose workers it is about.
    pub source: String,
    /// What absence means.
    pub mode: Mode,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
    /// By which the client finds the run again.
    pub request: Option<uuid::Uuid>,
    /// The per cent of active workers that may leave at once.
    pub leavers_percent_max: i32,
}

/// Opens a run.
///
/// # Errors
/// If the database fails, or refuses a second open run of the source.
pub async fn open(
    conn: &mut PgConnection,
    run: SyncRunId,
    opening: &Opening,
    now: Timestamp,
) -> sqlx::Result<RunRow> {
    sqlx::query_as(
        "with there as (
             select count(*) as active from workers where $3 = 'full_snapshot' and source_id = $2 and state = 'active'
         )
         insert into sync_runs (sync_run_id, source_id, mode, dry_run, request_id, leavers_percent_max, created_at,
                                touched_at, opened_after, active_at_opening, active_before)
         select $1, $2, $3, $4, $5, $6, $7, $7, (select coalesce(max(ordinal), 0) from sync_batches), active,
                least(active, (
                    select min(active_before) from sync_runs as fallen
                    where source_id = $2 and state in ('held', 'aborted') and not dry_run and active_before > 0
                      and not exists (
                          select from sync_runs as stood
                          where stood.source_id = $2 and stood.mode = 'full_snapshot' and stood.state = 'committed'
                            and not stood.dry_run and stood.sync_run_id > fallen.sync_run_id
                      )
                ))
         from there
         returning *",
    )
    .bind(run.uuid())
    .bind(&opening.source)
    .bind(opening.mode.name())
    .bind(opening.dry_run)
    .bind(opening.request)
    .bind(opening.leavers_percent_max)
    .bind(now.to_sqlx())
    .fetch_one(conn)
    .await
}

/// One run.
///
/// # Errors
/// If the database fails.
pub async fn find(executor: impl PgExecutor<'_>, run: SyncRunId) -> sqlx::Result<Option<RunRow>> {
    sqlx::query_as("select * from sync_runs where sync_run_id = $1")
        .bind(run.uuid())
        .fetch_optional(executor)
        .await
}

/// The run that a client opened under this request.
///
/// # Errors
/// If the database fails.
pub async fn requested(
    executor: impl PgExecutor<'_>,
    source: &str,
    request: uuid::Uuid,
) -> sqlx::Result<Option<RunRow>> {
    sqlx::query_as("select * from sync_runs where source_id = $1 and request_id = $2")
        .bind(source)
        .bind(request)
        .fetch_optional(executor)
        .await
}

/// The open run of a source.
///
/// # Errors
/// If the database fails.
pub async fn open_of(
    executor: impl PgExecutor<'_>,
    source: &str,
    continuous: bool,
) -> sqlx::Result<Option<RunRow>> {
    sqlx::query_as(
        "select * from sync_runs
         where source_id = $1 and state = 'open' and (mode = 'continuous') = $2",
    )
    .bind(source)
    .bind(continuous)
    .fetch_optional(executor)
    .await
}

/// A page of runs, newest first, perhaps only of one source.
///
/// # Errors
/// If the database fails.
pub async fn page(
    executor: impl PgExecutor<'_>,
    source: Option<&str>,
    before: Option<SyncRunId>,
    limit: i64,
) -> sqlx::Result<Vec<RunRow>> {
    sqlx::query_as(
        "select * from sync_runs
         where ($1::text is null or source_id = $1) and ($2::uuid is null or sync_run_id < $2)
         order by sync_run_id desc
         limit $3",
    )
    .bind(source)
    .bind(before.map(SyncRunId::uuid))
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// What a run comes to when it ends or is held.
#[derive(Clone, Debug)]
pub struct End {
    /// Where it is from now on.
    pub state: State,
    /// Why it is held or aborted.
    pub detail: String,
    /// Different workers that its records were about.
    pub workers: i64,
    /// Who leaves because the run did not mention them, or would.
    pub leavers: i64,
    /// Issues found at the end.
    pub issues: i64,
    /// Whether the leavers are to be made.
    pub leaving: bool,
}

/// Ends or holds a run.
///
/// # Errors
/// If the database fails.
pub async fn end(conn: &mut PgConnection, run: SyncRunId, end: &End, now: Timestamp) -> sqlx::Result<RunRow> {
    sqlx::query_as(
        "update sync_runs
         set state = $2, detail = $3, workers = $4, leavers = $5, issues = issues + $6, leaving = $7, touched_at = $8,
             ended_at = case when $2 in ('committed', 'aborted') then $8 end
         where sync_run_id = $1
         returning *",
    )
    .bind(run.uuid())
    .bind(end.state.name())
    .bind(&end.detail)
    .bind(end.workers)
    .bind(end.leavers)
    .bind(end.issues)
    .bind(end.leaving)
    .bind(now.to_sqlx())
    .fetch_one(conn)
    .await
}

/// Adds what became of records to the counters of their run.
///
/// # Errors
/// If the database fails.
pub async fn count(
    conn: &mut PgConnection,
    run: SyncRunId,
    counts: &Counts,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "update sync_runs
         set received = received + $2, created = created + $3, updated = updated + $4, unchanged = unchanged + $5,
             stale = stale + $6, rejected = rejected + $7, removed = removed + $8, scheduled = scheduled + $9,
             issues = issues + $10, touched_at = $11
         where sync_run_id = $1",
    )
    .bind(run.uuid())
    .bind(counts.received)
    .bind(counts.created)
    .bind(counts.updated)
    .bind(counts.unchanged)
    .bind(counts.stale)
    .bind(counts.rejected)
    .bind(counts.removed)
    .bind(counts.scheduled)
    .bind(counts.issues)
    .bind(now.to_sqlx())
    .execute(conn)
    .await
    .map(drop)
}

/// Notes that all leavers of a run are made.
///
/// # Errors
/// If the database fails.
pub async fn all_left(conn: &mut PgConnection, run: SyncRunId) -> sqlx::Result<()> {
    sqlx::query("update sync_runs set leaving = false where sync_run_id = $1")
        .bind(run.uuid())
        .execute(conn)
        .await
        .map(drop)
}

/// The runs whose leavers are still to be made.
///
/// # Errors
/// If the database fails.
pub async fn leaving(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<RunRow>> {
    sqlx::query_as("select * from sync_runs where leaving order by sync_run_id").fetch_all(executor).await
}

/// Gives up the runs to which nothing came for long and those that nobody released, and ends those that collected single changes
/// on an earlier day.
///
/// # Errors
/// If the database fails.
pub async fn expire(
    executor: impl PgExecutor<'_>,
    now: Timestamp,
    untouched_since: Timestamp,
    held_since: Timestamp,
    today: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "update sync_runs
         set state = case mode when 'continuous' then 'committed' else 'aborted' end, ended_at = $1, leavers = 0,
             workers = (
                 select count(distinct key) from sync_batches cross join unnest(external_ids) as key
                 where sync_batches.sync_run_id = sync_runs.sync_run_id
             ),
             detail = case when mode = 'continuous' then ''
                           when state = 'held' then 'Nobody released it in time; nobody has left.'
                           else 'Nothing came for a day; nobody has left.' end
         where state = 'open' and case mode when 'continuous' then created_at < $4 else touched_at < $2 end
            or state = 'held' and touched_at < $3",
    )
    .bind(now.to_sqlx())
    .bind(untouched_since.to_sqlx())
    .bind(held_since.to_sqlx())
    .bind(today.to_sqlx())
    .execute(executor)
    .await
    .map(drop)
}

/// Forgets runs that ended long ago, with all that was found in them.
///
/// # Errors
/// If the database fails.
pub async fn forget(executor: impl PgExecutor<'_>, ended_before: Timestamp) -> sqlx::Result<()> {
    sqlx::query("delete from sync_runs where ended_at < $1 and not leaving")
        .bind(ended_before.to_sqlx())
        .execute(executor)
        .await
        .map(drop)
}

/// One thing that was found in a run.
#[derive(Clone, Debug, FromRow)]
pub struct RunIssueRow {
    /// Its place in the order in which they were found.
    pub ordinal: i64,
    /// The worker; empty when the whole run is meant.
    pub external_id: String,
    /// The field.
    pub field: String,
    /// Machine code.
    pub reason: String,
    /// One sentence.
    pub message: String,
    /// Whether the record was refused.
    pub refused: bool,
}

/// A page of what was found in a run, in that order.
///
/// # Errors
/// If the database fails.
pub async fn issues(
    executor: impl PgExecutor<'_>,
    run: SyncRunId,
    after: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<RunIssueRow>> {
    sqlx::query_as(
        "select ordinal, external_id, field, reason, message, refused
         from sync_issues
         where sync_run_id = $1 and ($2::bigint is null or ordinal > $2)
         order by ordinal
         limit $3",
    )
    .bind(run.uuid())
    .bind(after)
    .bind(limit)
    .fetch_all(executor)
    .await
}
