//! Workers as their source described them last, to be read one by one or in pages.

use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgExecutor, Row};
use uuid::Uuid;

/// A worker of a source who was not removed.
#[derive(Clone, Debug)]
pub struct StoredRow {
    /// The key in the source.
    pub external_id: String,
    /// The person.
    pub person: Uuid,
    /// The version of the record.
    pub source_version: i64,
    /// Whether the worker is one of the company.
    pub active: bool,
    /// Personnel number; empty where the source knows none.
    pub employee_number: String,
    /// Name at the identity provider.
    pub user_name: String,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Work address.
    pub email: String,
    /// Job title.
    pub job_title: String,
    /// Units from the top down.
    pub org_unit_path: Vec<String>,
    /// The direct superior's key; empty at the top.
    pub manager_external_id: String,
    /// The direct superior's name; empty at the top or while unknown.
    pub manager_name: String,
    /// First day, ISO 8601; empty where the source knows none.
    pub hire_date: String,
    /// `active`, `on_leave`, `pending` or `inactive`.
    pub employment: String,
    /// First day of the leave, ISO 8601; empty without.
    pub leave_first_day: String,
    /// Last day of the leave, ISO 8601; empty without.
    pub leave_last_day: String,
    /// Another name that the source has for the worker.
    pub alias: String,
    /// When the worker was first reported.
    pub created_at: Timestamp,
    /// When the worker was last changed.
    pub updated_at: Timestamp,
}

impl FromRow<'_, PgRow> for StoredRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let time = |column| row.try_get::<jiff_sqlx::Timestamp, _>(column).map(jiff_sqlx::Timestamp::to_jiff);
        Ok(Self {
            external_id: row.try_get("external_id")?,
            person: row.try_get("person_id")?,
            source_version: row.try_get("source_version")?,
            active: row.try_get("is_there")?,
            employee_number: row.try_get("employee_number")?,
            user_name: row.try_get("user_name")?,
            given_name: row.try_get("given_name")?,
            family_name: row.try_get("family_name")?,
            email: row.try_get("email")?,
            job_title: row.try_get("job_title")?,
            org_unit_path: row.try_get("org_unit_path")?,
            manager_external_id: row.try_get("manager_external_id")?,
            manager_name: row.try_get("manager_name")?,
            hire_date: row.try_get("hire_date")?,
            employment: row.try_get("employment")?,
            leave_first_day: row.try_get("leave_first_day")?,
            leave_last_day: row.try_get("leave_last_day")?,
            alias: row.try_get("alias")?,
            created_at: time("created_at")?,
            updated_at: time("updated_at")?,
        })
    }
}

/// Which workers of a source are meant; an empty text leaves it open.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only with this key.
    pub external_id: String,
    /// Only with this user name, in any case of letters.
    pub user_name: String,
    /// Only with this alias.
    pub alias: String,
    /// Only with this personnel number.
    pub employee_number: String,
    /// Only with this address, in any case of letters.
    pub email: String,
}

/// The conditions of [`Wanted`].
macro_rules! wanted {
    () => {
        " where workers.source_id = $1 and workers.state in ('active', 'inactive')
            and ($2 = '' or workers.external_id = $2)
            and ($3 = '' or lower(workers.user_name) = lower($3))
            and ($4 = '' or workers.alias = $4)
            and ($5 = '' or workers.employee_number = $5)
            and ($6 = '' or lower(workers.email) = lower($6))"
    };
}

/// Workers of a source by their keys: so many behind a key, but for some that are passed over.
///
/// # Errors
/// If the database fails.
pub async fn page(
    executor: impl PgExecutor<'_>,
    source: &str,
    wanted: &Wanted,
    after: &str,
    skip: i64,
    limit: i64,
) -> sqlx::Result<Vec<StoredRow>> {
    sqlx::query_as(concat!(
        "select workers.external_id, workers.person_id, workers.source_version, workers.state = 'active' as is_there,
                coalesce(workers.employee_number, '') as employee_number, workers.user_name, workers.given_name,
                workers.family_name, workers.email, workers.job_title, workers.org_unit_path,
                coalesce(workers.manager_external_id, '') as manager_external_id,
                coalesce(trim(superior.given_name || ' ' || superior.family_name), '') as manager_name,
                coalesce(workers.hire_date::text, '') as hire_date, workers.employment,
                coalesce(workers.leave_first_day::text, '') as leave_first_day,
                coalesce(workers.leave_last_day::text, '') as leave_last_day,
                workers.alias, workers.created_at, workers.updated_at
         from workers
         left join workers as superior
             on superior.source_id = workers.source_id and superior.external_id = workers.manager_external_id",
        wanted!(),
        " and workers.external_id > $7
         order by workers.external_id
         offset $8
         limit $9"
    ))
    .bind(source)
    .bind(&wanted.external_id)
    .bind(&wanted.user_name)
    .bind(&wanted.alias)
    .bind(&wanted.employee_number)
    .bind(&wanted.email)
    .bind(after)
    .bind(skip)
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// How many workers of a source are meant.
///
/// # Errors
/// If the database fails.
pub async fn count(executor: impl PgExecutor<'_>, source: &str, wanted: &Wanted) -> sqlx::Result<i64> {
    sqlx::query_scalar(concat!("select count(*) from workers", wanted!()))
        .bind(source)
        .bind(&wanted.external_id)
        .bind(&wanted.user_name)
        .bind(&wanted.alias)
        .bind(&wanted.employee_number)
        .bind(&wanted.email)
        .fetch_one(executor)
        .await
}
