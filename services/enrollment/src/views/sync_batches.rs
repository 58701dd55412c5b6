//! Whom the records of a run were about, and what follows once it ends: who is absent, and how the reporting line looks.

use identity::SyncRunId;
use sqlx::{PgConnection, PgExecutor};

use super::sync_runs::RunRow;
use crate::domain::hierarchy::Member;
use crate::domain::sync_run::Mode;
use crate::domain::worker::FieldIssue;

/// Notes whom a batch was about, and the workers whose personnel number its refused records claim.
///
/// # Errors
/// If the database fails.
pub async fn note(
    conn: &mut PgConnection,
    run: SyncRunId,
    keys: &[&str],
    claimed: &[&str],
) -> sqlx::Result<()> {
    sqlx::query("insert into sync_batches (sync_run_id, external_ids, claimed) values ($1, $2, $3)")
        .bind(run.uuid())
        .bind(keys)
        .bind(claimed)
        .execute(conn)
        .await
        .map(drop)
}

/// Notes what was found, each with the worker it is about and whether the record was refused.
///
/// # Errors
/// If the database fails.
pub async fn note_issues(
    conn: &mut PgConnection,
    run: SyncRunId,
    issues: &[(&str, &FieldIssue, bool)],
) -> sqlx::Result<()> {
    if issues.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into sync_issues (sync_run_id, external_id, field, reason, message, refused)
         select $1, external_id, field, reason, message, refused
         from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[]) with ordinality
             as found (external_id, field, reason, message, refused, ordinal)
         order by ordinal",
    )
    .bind(run.uuid())
    .bind(issues.iter().map(|(key, ..)| *key).collect::<Vec<_>>())
    .bind(issues.iter().map(|(_, issue, _)| issue.field.as_str()).collect::<Vec<_>>())
    .bind(issues.iter().map(|(_, issue, _)| issue.reason).collect::<Vec<_>>())
    .bind(issues.iter().map(|(_, issue, _)| issue.message.as_str()).collect::<Vec<_>>())
    .bind(issues.iter().map(|(.., refused)| *refused).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}

/// Whether a refused record of a run did not say which worker it is about.
///
/// # Errors
/// If the database fails.
pub async fn has_nameless(executor: impl PgExecutor<'_>, run: SyncRunId) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from sync_issues where sync_run_id = $1 and refused and external_id = '')",
    )
    .bind(run.uuid())
    .fetch_one(executor)
    .await
}

/// How many different workers the records of a run were about.
///
/// # Errors
/// If the database fails.
pub async fn workers(executor: impl PgExecutor<'_>, run: SyncRunId) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select count(distinct key) from sync_batches cross join unnest(external_ids) as key where sync_run_id = $1",
    )
    .bind(run.uuid())
    .fetch_one(executor)
    .await
}

/// The active workers whom neither the run nor any later batch of its source was about, and whose number none of them claims.
macro_rules! absent {
    () => {
        "select external_id
         from workers
         where source_id = $1 and state = 'active'
         except
         select unnest(external_ids || claimed)
         from sync_batches join sync_runs using (sync_run_id)
         where source_id = $1 and ordinal > $2 and (sync_run_id = $3 or not dry_run)"
    };
}

/// Who is absent from a run, by key.
///
/// # Errors
/// If the database fails.
pub async fn absent(executor: impl PgExecutor<'_>, run: &RunRow, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(concat!(absent!(), " order by external_id limit $4"))
        .bind(&run.source)
        .bind(run.opened_after)
        .bind(run.run.uuid())
        .bind(limit)
        .fetch_all(executor)
        .await
}

/// How many are absent.
///
/// # Errors
/// If the database fails.
pub async fn absent_count(executor: impl PgExecutor<'_>, run: &RunRow) -> sqlx::Result<i64> {
    sqlx::query_scalar(concat!("select count(*) from (", absent!(), ") as absent"))
        .bind(&run.source)
        .bind(run.opened_after)
        .bind(run.run.uuid())
        .fetch_one(executor)
        .await
}

/// Who would be absent if a refused record did not claim the number, by key.
///
/// # Errors
/// If the database fails.
pub async fn claimed(executor: impl PgExecutor<'_>, run: &RunRow) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select external_id
         from workers
         where source_id = $1 and state = 'active' and external_id in (
             select unnest(claimed) from sync_batches where sync_run_id = $2
             except
             select unnest(external_ids) from sync_batches where sync_run_id = $2
         )
         order by external_id",
    )
    .bind(&run.source)
    .bind(run.run.uuid())
    .fetch_all(executor)
    .await
}

/// The reporting line of a source as a run leaves it, up from all whom the run was about; of a snapshot, who is longest known first.
///
/// # Errors
/// If the database fails.
pub async fn reporting_line(executor: impl PgExecutor<'_>, run: &RunRow) -> sqlx::Result<Vec<Member>> {
    let rows: Vec<(String, Option<String>, bool)> = sqlx::query_as(match run.mode {
        Mode::FullSnapshot => LINE_OF_SNAPSHOT,
        Mode::Delta | Mode::Continuous => LINE,
    })
    .bind(&run.source)
    .bind(run.run.uuid())
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|(key, manager, told)| Member { key, manager, told }).collect())
}

/// What is stored is as the run left it, of whoever it was about and all above them.
const LINE: &str = "
    with recursive seen as materialized (
        select distinct key from sync_batches cross join unnest(external_ids) as key where sync_run_id = $2
    ),
    line (external_id, manager_external_id) as (
        select external_id, manager_external_id
        from seen join workers on source_id = $1 and external_id = key
        where state = 'active'
        union
        select superior.external_id, superior.manager_external_id
        from line join workers as superior
            on superior.source_id = $1 and superior.external_id = line.manager_external_id
        where superior.state in ('active', 'inactive', 'left')
    )
    select line.*, key is not null from line left join seen on key = external_id";

/// A snapshot was about everybody, so that nobody has to be found. Whether it was is asked in the list of columns: there the keys
/// are hashed once, where a join of a table that is new and has no statistics yet compares each worker with each of them.
const LINE_OF_SNAPSHOT: &str = "
    select external_id, manager_external_id,
           state = 'active' and external_id in (select unnest(external_ids) from sync_batches where sync_run_id = $2)
    from workers
    where source_id = $1 and state in ('active', 'inactive', 'left')
    order by created_at, external_id";

/// The active worker of a source who reports to nobody, the one longest known if there are several.
///
/// # Errors
/// If the database fails.
pub async fn top(executor: impl PgExecutor<'_>, source: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "select external_id
         from workers
         where source_id = $1 and state = 'active' and manager_external_id is null
         order by created_at, external_id
         limit 1",
    )
    .bind(source)
    .fetch_optional(executor)
    .await
}

/// Forgets whom batches were about, where it is clear who was absent.
///
/// # Errors
/// If the database fails.
pub async fn forget(executor: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "delete from sync_batches using sync_runs as own
         where own.sync_run_id = sync_batches.sync_run_id and not exists (
             select from sync_runs as waiting
             where waiting.source_id = own.source_id and (waiting.state in ('open', 'held') or waiting.leaving)
               and (waiting.sync_run_id = own.sync_run_id
                    or waiting.mode = 'full_snapshot' and waiting.opened_after < sync_batches.ordinal)
         )",
    )
    .execute(executor)
    .await
    .map(drop)
}
