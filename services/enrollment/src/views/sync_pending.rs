//! Records whose day is still to come.

use identity::SyncRunId;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde_json::{Value, json};
use sqlx::{PgConnection, PgExecutor};

use super::unreadable;
use crate::domain::iso_date;
use crate::domain::register::Waiting;
use crate::domain::worker::{Change, Employment, Tombstone, Worker};

/// Keeps records until their day.
///
/// # Errors
/// If the database fails.
pub async fn keep(
    conn: &mut PgConnection,
    source: &str,
    run: SyncRunId,
    records: &[(Date, &Change)],
) -> sqlx::Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into sync_pending (source_id, external_id, source_version, due_date, sync_run_id, record)
         select distinct on (external_id, source_version) $1, external_id, source_version, due_date, $2, record
         from unnest($3::text[], $4::bigint[], $5::date[], $6::jsonb[]) with ordinality
             as kept (external_id, source_version, due_date, record, ordinal)
         order by external_id, source_version, ordinal
         on conflict (source_id, external_id, source_version) do nothing",
    )
    .bind(source)
    .bind(run.uuid())
    .bind(records.iter().map(|(_, change)| change.external_id()).collect::<Vec<_>>())
    .bind(records.iter().map(|(_, change)| change.source_version()).collect::<Vec<_>>())
    .bind(records.iter().map(|(due, _)| due.to_sqlx()).collect::<Vec<_>>())
    .bind(records.iter().map(|(_, change)| to_json(change)).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}

/// The records of some workers that wait for their day.
///
/// # Errors
/// If the database fails, or a record cannot be read.
pub async fn of(executor: impl PgExecutor<'_>, source: &str, keys: &[&str]) -> sqlx::Result<Vec<Waiting>> {
    let rows: Vec<(jiff_sqlx::Date, Value)> = sqlx::query_as(
        "select due_date, record from sync_pending where source_id = $1 and external_id = any ($2)",
    )
    .bind(source)
    .bind(keys)
    .fetch_all(executor)
    .await?;
    let waiting = |(due, record): (jiff_sqlx::Date, Value)| {
        Some(Waiting { due: due.to_jiff(), change: from_json(&record)? })
    };
    rows.into_iter()
        .map(|row| waiting(row).ok_or_else(|| unreadable("record", "it is none of ours")))
        .collect()
}

/// Drops of the days on which these workers were to leave all but the one that was said last.
///
/// # Errors
/// If the database fails.
pub async fn drop_former_ends(conn: &mut PgConnection, source: &str, keys: &[&str]) -> sqlx::Result<()> {
    sqlx::query(
        "delete from sync_pending as former
         using sync_pending as latter
         where former.source_id = $1 and former.external_id = any ($2) and former.record ->> 'tombstone' = 'left'
           and latter.source_id = $1 and latter.external_id = former.external_id
           and latter.record ->> 'tombstone' = 'left' and former.source_version < latter.source_version",
    )
    .bind(source)
    .bind(keys)
    .execute(conn)
    .await
    .map(drop)
}

/// Drops the records that are no newer than what is stored by now.
///
/// # Errors
/// If the database fails.
pub async fn drop_overtaken(conn: &mut PgConnection, source: &str, keys: &[&str]) -> sqlx::Result<()> {
    sqlx::query(
        "delete from sync_pending as pending
         using workers
         where pending.source_id = $1 and pending.external_id = any ($2)
           and workers.source_id = $1 and workers.external_id = pending.external_id
           and workers.state <> 'expected' and pending.source_version <= workers.source_version",
    )
    .bind(source)
    .bind(keys)
    .execute(conn)
    .await
    .map(drop)
}

/// The greatest version of a worker's records whose day is to come.
///
/// # Errors
/// If the database fails.
pub async fn newest(executor: impl PgExecutor<'_>, source: &str, key: &str) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "select max(source_version) from sync_pending where source_id = $1 and external_id = $2",
    )
    .bind(source)
    .bind(key)
    .fetch_one(executor)
    .await
}

/// The sources that have records whose day has come.
///
/// # Errors
/// If the database fails.
pub async fn due_sources(executor: impl PgExecutor<'_>, today: Date) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("select distinct source_id from sync_pending where due_date <= $1 order by 1")
        .bind(today.to_sqlx())
        .fetch_all(executor)
        .await
}

/// Takes records out whose day has come, in the order of their versions.
///
/// # Errors
/// If the database fails, or a record cannot be read.
pub async fn take_due(
    conn: &mut PgConnection,
    source: &str,
    today: Date,
    limit: i64,
) -> sqlx::Result<Vec<Change>> {
    let rows: Vec<Value> = sqlx::query_scalar(
        "with due as (
             select external_id, source_version from sync_pending
             where source_id = $1 and due_date <= $2
             order by external_id, source_version
             limit $3
         ),
         taken as (
             delete from sync_pending using due
             where sync_pending.source_id = $1 and sync_pending.external_id = due.external_id
               and sync_pending.source_version = due.source_version
             returning sync_pending.external_id, sync_pending.source_version, record
         )
         select record from taken order by external_id, source_version",
    )
    .bind(source)
    .bind(today.to_sqlx())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| from_json(row).ok_or_else(|| unreadable("record", "it is none of ours"))).collect()
}

/// The date of birth is left out: it is kept sealed or not at all.
fn to_json(change: &Change) -> Value {
    match change {
        Change::Upsert { worker, .. } => {
            let (first_day, last_day) = worker.employment.leave();
            json!({
                "external_id": worker.external_id, "source_version": worker.source_version,
                "employee_number": worker.employee_number, "user_name": worker.user_name,
                "given_name": worker.given_name, "family_name": worker.family_name, "email": worker.email,
                "job_title": worker.job_title, "org_unit_path": worker.org_unit_path,
                "manager_external_id": worker.manager_external_id, "hire_date": worker.hire_date,
                "employment": worker.employment.name(), "leave_first_day": first_day,
                "leave_last_day": last_day, "alias": worker.alias,
            })
        }
        Change::Tombstone { external_id, source_version, kind, last_day } => json!({
            "external_id": external_id, "source_version": source_version, "tombstone": kind.state().name(),
            "last_day": last_day,
        }),
    }
}

fn from_json(row: &Value) -> Option<Change> {
    let given = |field: &str| row.get(field).and_then(Value::as_str).map(str::to_owned);
    let text = |field: &str| given(field).unwrap_or_default();
    let day = |field: &str| row.get(field).and_then(Value::as_str).and_then(iso_date);
    let source_version = row.get("source_version")?.as_i64()?;
    if let Some(kind) = given("tombstone") {
        let kinds = [Tombstone::Left, Tombstone::Rescinded, Tombstone::Erased];
        let kind = kinds.into_iter().find(|known| known.state().name() == kind)?;
        let (external_id, last_day) = (given("external_id")?, day("last_day"));
        return Some(Change::Tombstone { external_id, source_version, kind, last_day });
    }
    let employment = match text("employment").as_str() {
        "active" => Employment::Active,
        "on_leave" => {
            Employment::OnLeave { first_day: day("leave_first_day"), last_day: day("leave_last_day") }
        }
        "pending" => Employment::Pending,
        "inactive" => Employment::Inactive,
        _ => return None,
    };
    let units = row.get("org_unit_path")?.as_array()?;
    let worker = Worker {
        external_id: given("external_id")?,
        source_version,
        employee_number: given("employee_number"),
        user_name: text("user_name"),
        given_name: text("given_name"),
        family_name: text("family_name"),
        email: text("email"),
        job_title: text("job_title"),
        org_unit_path: units.iter().map(|unit| unit.as_str().unwrap_or_default().to_owned()).collect(),
        manager_external_id: given("manager_external_id"),
        hire_date: day("hire_date"),
        birth_date: None,
        employment,
        alias: text("alias"),
    };
    Some(Change::Upsert { worker, effective_date: None, noticed: Vec::new() })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_record_that_waits_comes_back_as_it_was_but_for_the_date_of_birth() {
        let worker = Worker {
            employee_number: Some("7".to_owned()),
            org_unit_path: vec![String::new(), "Sales".to_owned()],
            manager_external_id: Some("m".to_owned()),
            hire_date: Some(date(2010, 3, 1)),
            employment: Employment::OnLeave { first_day: Some(date(2014, 1, 6)), last_day: None },
            ..Worker::blank("w".to_owned(), i64::MAX)
        };
        let said = Worker { birth_date: Some(date(1980, 1, 1)), ..worker.clone() };
        let upsert = |worker| Change::Upsert { worker, effective_date: None, noticed: Vec::new() };
        assert_eq!(from_json(&to_json(&upsert(said))), Some(upsert(worker)));
        let tombstone = Change::Tombstone {
            external_id: "w".to_owned(),
            source_version: 3,
            kind: Tombstone::Left,
            last_day: Some(date(2014, 1, 31)),
        };
        assert_eq!(from_json(&to_json(&tombstone)), Some(tombstone));
    }
}
