//! Workers of whom nothing may be known any more: what goes beside the workers themselves.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use crate::domain::register::Key;

/// What is about a worker alone, and the number in the report of an upload, which is the key in the roster. What a source says
/// under a greater version than that of the end is said of somebody who comes anew, in whatever order the two come.
const STATEMENTS: [&str; 5] = [
    "delete from sync_issues using sync_runs join sources using (source_id)
     where rank = $1 and sync_issues.sync_run_id = sync_runs.sync_run_id and external_id = any ($2)",
    "delete from sync_pending using sources
     where rank = $1 and sync_pending.source_id = sources.source_id and external_id = any ($2) and not exists (
         select from workers
         where workers.source_id = sync_pending.source_id and workers.external_id = sync_pending.external_id
           and state = 'erased' and workers.source_version < sync_pending.source_version
     )",
    "delete from sync_trials using sources
     where rank = $1 and sync_trials.source_id = sources.source_id and external_id = any ($2)",
    "delete from operation_issues
     where key = any ($2) and exists (select from sources where rank = $1 and source_id = 'roster')",
    "update operation_lines
     set keys = array(select case when key = any ($2) then '' else key end
                      from unnest(keys) with ordinality as line (key, ordinal) order by ordinal)
     where keys && $2 and exists (select from sources where rank = $1 and source_id = 'roster')",
];

/// The reasons whose messages name workers.
const NAMING: [&str; 4] = ["DUPLICATE_EMPLOYEE_NUMBER", "UNKNOWN_MANAGER", "SECOND_TOP", "REPORTING_CYCLE"];

/// What is about others and names the worker.
const NAMED: [&str; 2] = [
    "update sync_issues set message = regexp_replace(message, $2, '…', 'g')
     from sync_runs join sources using (source_id)
     where rank = $1 and sync_issues.sync_run_id = sync_runs.sync_run_id and reason = any ($3) and message ~ $2",
    "update operation_issues set detail = regexp_replace(detail, $2, '…', 'g')
     where code = any ($3) and detail ~ $2 and exists (select from sources where rank = $1 and source_id = 'roster')",
];

/// Forgets what was found of workers, what waits for its day, what was tried, and what the reports of uploads say of them.
///
/// # Errors
/// If the database fails.
pub async fn forget(conn: &mut PgConnection, workers: &[Key]) -> sqlx::Result<()> {
    let mut keys_of: BTreeMap<i32, Vec<&str>> = BTreeMap::new();
    for (rank, key) in workers {
        keys_of.entry(*rank).or_default().push(key);
    }
    for (rank, keys) in keys_of {
        for statement in STATEMENTS {
            sqlx::query(statement).bind(rank).bind(&keys).execute(&mut *conn).await?;
        }
        let pattern = naming(&keys);
        for statement in NAMED {
            sqlx::query(statement).bind(rank).bind(&pattern).bind(NAMING).execute(&mut *conn).await?;
        }
    }
    Ok(())
}

/// What finds these keys in a message, where each stands after a space and before another or the full stop.
fn naming(keys: &[&str]) -> String {
    let literal = |key: &&str| {
        let escaped =
            key.chars().map(|c| if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() });
        escaped.collect::<String>()
    };
    let keys: Vec<String> = keys.iter().map(literal).collect();
    format!("(?<= )(?:{})(?= |\\.$)", keys.join("|"))
}
