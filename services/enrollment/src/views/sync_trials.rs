//! Workers as a dry run would have left them: kept beside those there are from batch to batch, and put in their place for as long
//! as a batch, or the end of the run, is tried out.

use identity::SyncRunId;
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};

use crate::domain::register::Written;

/// From here on, nothing is changed: see [`undo`].
///
/// # Errors
/// If the database fails.
pub async fn begin(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("savepoint dry_run").execute(conn).await.map(drop)
}

/// Undoes what was done since [`begin`].
///
/// # Errors
/// If the database fails.
pub async fn undo(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("rollback to savepoint dry_run").execute(conn).await.map(drop)
}

/// Some of a run's trials in the place of the workers there are. The join lets nothing in before all of those are out.
macro_rules! put_in_place {
    ($which:literal) => {
        concat!(
            "with ",
            $which,
            ",
             replaced as (
                 delete from workers using tried
                 where workers.source_id = tried.source_id and workers.external_id = tried.external_id
                 returning workers.source_id, workers.external_id
             )
             insert into workers
             select anew.*
             from tried
             left join replaced using (source_id, external_id)
             cross join lateral jsonb_populate_record(null::workers, tried.worker) as anew"
        )
    };
}

/// Puts the trials in place that have one of these keys or numbers, or are the same people as somebody who has.
///
/// # Errors
/// If the database fails.
pub async fn put_in_place(
    conn: &mut PgConnection,
    run: SyncRunId,
    source: &str,
    keys: &[&str],
    numbers: &[&str],
) -> sqlx::Result<()> {
    sqlx::query(put_in_place!(
        "named as (
             select person_id from sync_trials where sync_run_id = $1 and source_id = $2 and external_id = any ($3)
             union
             select person_id from sync_trials where sync_run_id = $1 and employee_number = any ($4)
             union
             select person_id::text from workers where source_id = $2 and external_id = any ($3)
             union
             select person_id::text from workers where employee_number = any ($4)
         ),
         tried as (
             select source_id, external_id, worker from sync_trials join named using (person_id) where sync_run_id = $1
         )"
    ))
    .bind(run.uuid())
    .bind(source)
    .bind(keys)
    .bind(numbers)
    .execute(conn)
    .await
    .map(drop)
}

/// Puts all trials of a run in place.
///
/// # Errors
/// If the database fails.
pub async fn put_all_in_place(conn: &mut PgConnection, run: SyncRunId) -> sqlx::Result<()> {
    sqlx::query(put_in_place!(
        "tried as (select source_id, external_id, worker from sync_trials where sync_run_id = $1)"
    ))
    .bind(run.uuid())
    .execute(conn)
    .await
    .map(drop)
}

/// Workers as they were written.
///
/// # Errors
/// If the database fails.
pub async fn of(executor: impl PgExecutor<'_>, written: &[Written<'_>]) -> sqlx::Result<Vec<Value>> {
    sqlx::query_scalar(
        "select to_jsonb(workers)
         from unnest($1::text[], $2::text[]) as written (source_id, external_id)
         join workers using (source_id, external_id)",
    )
    .bind(written.iter().map(|written| written.source.name.as_str()).collect::<Vec<_>>())
    .bind(written.iter().map(|written| written.stored.worker.external_id.as_str()).collect::<Vec<_>>())
    .fetch_all(executor)
    .await
}

/// Keeps them for what comes next in the run.
///
/// # Errors
/// If the database fails.
pub async fn keep(conn: &mut PgConnection, run: SyncRunId, workers: &[Value]) -> sqlx::Result<()> {
    sqlx::query(
        "insert into sync_trials (sync_run_id, worker)
         select $1, worker from unnest($2::jsonb[]) as tried (worker)
         on conflict (sync_run_id, source_id, external_id) do update set worker = excluded.worker",
    )
    .bind(run.uuid())
    .bind(workers)
    .execute(conn)
    .await
    .map(drop)
}

/// Forgets the trials of runs that have ended.
///
/// # Errors
/// If the database fails.
pub async fn forget(executor: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "delete from sync_trials using sync_runs
         where sync_runs.sync_run_id = sync_trials.sync_run_id and sync_runs.state <> 'open'",
    )
    .execute(executor)
    .await
    .map(drop)
}
