//! Workers as their sources described them last.

use identity::PersonId;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, Row};
use uuid::Uuid;

use super::copying::Rows;
use super::{named, unreadable};
use crate::domain::merge::Source;
use crate::domain::register::Written;
use crate::domain::source::Attribute;
use crate::domain::worker::{Employment, State, Stored, Worker};

/// What stands between the units of a path on its way to the database; a text of a record never holds it.
const BETWEEN_UNITS: &str = "\u{1f}";

/// A worker with the rank of its source.
#[derive(Debug)]
pub struct WorkerRow {
    /// The rank.
    pub rank: i32,
    /// The worker.
    pub stored: Stored,
}

impl FromRow<'_, PgRow> for WorkerRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let date = |column| {
            row.try_get::<Option<jiff_sqlx::Date>, _>(column).map(|date| date.map(jiff_sqlx::Date::to_jiff))
        };
        let employment = match row.try_get("employment")? {
            "active" => Employment::Active,
            "on_leave" => {
                Employment::OnLeave { first_day: date("leave_first_day")?, last_day: date("leave_last_day")? }
            }
            "pending" => Employment::Pending,
            "inactive" => Employment::Inactive,
            other => return Err(unreadable("employment", format!("{other} is not known"))),
        };
        let worker = Worker {
            external_id: row.try_get("external_id")?,
            source_version: row.try_get("source_version")?,
            employee_number: row.try_get("employee_number")?,
            user_name: row.try_get("user_name")?,
            given_name: row.try_get("given_name")?,
            family_name: row.try_get("family_name")?,
            email: row.try_get("email")?,
            job_title: row.try_get("job_title")?,
            org_unit_path: row.try_get("org_unit_path")?,
            manager_external_id: row.try_get("manager_external_id")?,
            hire_date: date("hire_date")?,
            birth_date: None,
            employment,
            alias: row.try_get("alias")?,
        };
        let stored = Stored {
            person: PersonId::from_uuid(row.try_get("person_id")?),
            state: named(row, "state", &State::ALL, State::name)?
                .ok_or_else(|| unreadable("state", "it is null"))?,
            worker,
            last_day: date("last_day")?,
            created_at: row.try_get::<jiff_sqlx::Timestamp, _>("created_at")?.to_jiff(),
        };
        Ok(Self { rank: row.try_get("rank")?, stored })
    }
}

/// All sources, by rank.
///
/// # Errors
/// If the database fails.
pub async fn sources(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<Source>> {
    let rows: Vec<(String, i32, Vec<String>, i32)> =
        sqlx::query_as("select source_id, rank, owns, grace_days from sources order by rank")
            .fetch_all(executor)
            .await?;
    let attribute = |name: &String| Attribute::ALL.into_iter().find(|attribute| attribute.name() == name);
    let source = |(name, rank, owns, grace_days): (String, i32, Vec<String>, i32)| Source {
        name,
        rank,
        owns: owns.iter().filter_map(attribute).collect(),
        grace_days,
    };
    Ok(rows.into_iter().map(source).collect())
}

/// The workers that have these keys in the sources of these ranks.
///
/// # Errors
/// If the database fails.
pub async fn by_keys<'a>(
    executor: impl PgExecutor<'_>,
    wanted: impl IntoIterator<Item = (i32, &'a str)>,
) -> sqlx::Result<Vec<WorkerRow>> {
    let (ranks, keys): (Vec<i32>, Vec<&str>) = wanted.into_iter().unzip();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    // By the index for each key, here and below: the planner would rather read the whole table, which is small when the plan is made.
    sqlx::query_as(
        "select rank, workers.*
         from unnest($1::integer[], $2::text[]) as wanted (rank, key)
         join sources using (rank)
         cross join lateral (
             select * from workers where source_id = sources.source_id and external_id = key offset 0
         ) as workers",
    )
    .bind(ranks)
    .bind(keys)
    .fetch_all(executor)
    .await
}

/// The workers of any source that have one of these personnel numbers or are one of these people.
///
/// # Errors
/// If the database fails.
pub async fn related(
    executor: impl PgExecutor<'_>,
    numbers: &[&str],
    people: &[Uuid],
) -> sqlx::Result<Vec<WorkerRow>> {
    if numbers.is_empty() && people.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_as(
        "select rank, workers.*
         from unnest($1::text[]) as wanted (number)
         cross join lateral (select * from workers where employee_number = number offset 0) as workers
         join sources using (source_id)
         union all
         select rank, workers.*
         from unnest($2::uuid[]) as wanted (person)
         cross join lateral (select * from workers where person_id = person offset 0) as workers
         join sources using (source_id)",
    )
    .bind(numbers)
    .bind(people)
    .fetch_all(executor)
    .await
}

/// The workers who report to one of these.
///
/// # Errors
/// If the database fails.
pub async fn reporting_to(
    executor: impl PgExecutor<'_>,
    ranks: &[i32],
    keys: &[&str],
) -> sqlx::Result<Vec<WorkerRow>> {
    sqlx::query_as(
        "select rank, workers.*
         from unnest($1::integer[], $2::text[]) as wanted (rank, key)
         join sources using (rank)
         cross join lateral (
             select * from workers where source_id = sources.source_id and manager_external_id = key offset 0
         ) as workers",
    )
    .bind(ranks)
    .bind(keys)
    .fetch_all(executor)
    .await
}

/// Workers of a source by their keys, so many behind one.
///
/// # Errors
/// If the database fails.
pub async fn after(
    executor: impl PgExecutor<'_>,
    rank: i32,
    key: &str,
    limit: i64,
) -> sqlx::Result<Vec<WorkerRow>> {
    sqlx::query_as(
        "select rank, workers.*
         from workers join sources using (source_id)
         where rank = $1 and external_id > $2
         order by external_id
         limit $3",
    )
    .bind(rank)
    .bind(key)
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// Workers whom the passing of days concerns: who works no more, and who starts.
///
/// # Errors
/// If the database fails.
pub async fn due(executor: impl PgExecutor<'_>, today: Date, limit: i64) -> sqlx::Result<Vec<WorkerRow>> {
    sqlx::query_as(
        "select * from (
             select rank, workers.* from workers join sources using (source_id)
             where state = 'active' and last_day is not null and last_day < $1
             union all
             select rank, workers.* from workers join sources using (source_id)
             where waits and hire_date <= $1
         ) as due
         limit $2",
    )
    .bind(today.to_sqlx())
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// Forgets who is expected and whom nobody names as a manager any more; tells how many.
///
/// # Errors
/// If the database fails.
pub async fn expect_no_more(conn: &mut PgConnection) -> sqlx::Result<u64> {
    let forgotten = sqlx::query(
        "delete from workers as expected
         where state = 'expected' and not exists (
             select from workers
             where source_id = expected.source_id and manager_external_id = expected.external_id
         )",
    );
    Ok(forgotten.execute(conn).await?.rows_affected())
}

/// Whether another worker of the source has the user name, in any case of letters.
///
/// # Errors
/// If the database fails.
pub async fn is_user_name_taken(
    executor: impl PgExecutor<'_>,
    source: &str,
    user_name: &str,
    external_id: &str,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (
             select from workers
             where source_id = $1 and lower(user_name) = lower($2) and external_id <> $3
               and state in ('active', 'inactive')
         )",
    )
    .bind(source)
    .bind(user_name)
    .bind(external_id)
    .fetch_one(executor)
    .await
}

/// A version behind all that a source has said of anybody.
///
/// # Errors
/// If the database fails.
pub async fn next_version(executor: impl PgExecutor<'_>, source: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select coalesce(max(source_version), 0) + 1
         from (
             select source_version from workers where source_id = $1
             union all
             select source_version from sync_pending where source_id = $1
         ) as said
         where source_version < $2",
    )
    .bind(source)
    .bind(i64::MAX)
    .fetch_one(executor)
    .await
}

/// Writes workers, new ones and old.
///
/// # Errors
/// If the database fails.
pub async fn write(
    conn: &mut PgConnection,
    workers: &[Written<'_>],
    now: Timestamp,
    today: Date,
) -> sqlx::Result<()> {
    let (new, old): (Vec<&Written>, Vec<&Written>) = workers.iter().partition(|written| written.new);
    if !new.is_empty() {
        let mut rows = Rows::new();
        for written in new {
            row(&mut rows, written, now, today);
        }
        rows.copy(&mut *conn, COPY).await?;
    }
    if old.is_empty() { Ok(()) } else { update(conn, &old, now, today).await }
}

const COPY: &str = "
    copy workers
        (source_id, external_id, person_id, source_version, state, employee_number, user_name, given_name, family_name,
         email, job_title, org_unit_path, manager_external_id, hire_date, employment, leave_first_day, leave_last_day,
         alias, last_day, waits, created_at, updated_at)
    from stdin (format binary)";

fn row(rows: &mut Rows, Written { source, stored, .. }: &Written<'_>, now: Timestamp, today: Date) {
    let Stored { person, state, worker, last_day, created_at } = stored;
    let (leave_first_day, leave_last_day) = worker.employment.leave();
    rows.row(22);
    rows.text(&source.name);
    rows.text(&worker.external_id);
    rows.uuid(person.uuid());
    rows.bigint(worker.source_version);
    rows.text(state.name());
    rows.or_null(worker.employee_number.as_deref(), Rows::text);
    for text in [&worker.user_name, &worker.given_name, &worker.family_name, &worker.email, &worker.job_title]
    {
        rows.text(text);
    }
    rows.texts(&worker.org_unit_path);
    rows.or_null(worker.manager_external_id.as_deref(), Rows::text);
    rows.or_null(worker.hire_date, Rows::date);
    rows.text(worker.employment.name());
    rows.or_null(leave_first_day, Rows::date);
    rows.or_null(leave_last_day, Rows::date);
    rows.text(&worker.alias);
    rows.or_null(*last_day, Rows::date);
    rows.boolean(stored.waits(today));
    rows.time(*created_at);
    rows.time(now);
}

async fn update(
    conn: &mut PgConnection,
    workers: &[&Written<'_>],
    now: Timestamp,
    today: Date,
) -> sqlx::Result<()> {
    let said = |text: fn(&Worker) -> &str| {
        workers.iter().map(|written| text(&written.stored.worker)).collect::<Vec<_>>()
    };
    let given = |text: fn(&Worker) -> Option<&str>| {
        workers.iter().map(|written| text(&written.stored.worker)).collect::<Vec<_>>()
    };
    let day = |day: fn(&Stored) -> Option<Date>| {
        workers.iter().map(|written| day(written.stored).map(ToSqlx::to_sqlx)).collect::<Vec<_>>()
    };
    sqlx::query(include_str!("workers.sql"))
        .bind(workers.iter().map(|written| written.source.name.as_str()).collect::<Vec<_>>())
        .bind(said(|worker| &worker.external_id))
        .bind(workers.iter().map(|written| written.stored.person.uuid()).collect::<Vec<_>>())
        .bind(workers.iter().map(|written| written.stored.worker.source_version).collect::<Vec<_>>())
        .bind(workers.iter().map(|written| written.stored.state.name()).collect::<Vec<_>>())
        .bind(given(|worker| worker.employee_number.as_deref()))
        .bind(said(|worker| &worker.user_name))
        .bind(said(|worker| &worker.given_name))
        .bind(said(|worker| &worker.family_name))
        .bind(said(|worker| &worker.email))
        .bind(said(|worker| &worker.job_title))
        .bind(
            workers
                .iter()
                .map(|written| written.stored.worker.org_unit_path.join(BETWEEN_UNITS))
                .collect::<Vec<_>>(),
        )
        .bind(
            workers.iter().map(|written| written.stored.worker.org_unit_path.is_empty()).collect::<Vec<_>>(),
        )
        .bind(given(|worker| worker.manager_external_id.as_deref()))
        .bind(day(|stored| stored.worker.hire_date))
        .bind(workers.iter().map(|written| written.stored.worker.employment.name()).collect::<Vec<_>>())
        .bind(day(|stored| stored.worker.employment.leave().0))
        .bind(day(|stored| stored.worker.employment.leave().1))
        .bind(said(|worker| &worker.alias))
        .bind(day(|stored| stored.last_day))
        .bind(workers.iter().map(|written| written.stored.waits(today)).collect::<Vec<_>>())
        .bind(workers.iter().map(|written| written.stored.created_at.to_sqlx()).collect::<Vec<_>>())
        .bind(now.to_sqlx())
        .execute(conn)
        .await
        .map(drop)
}
