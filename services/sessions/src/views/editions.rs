//! What the editions say about sessions, from the events of the enrollment.

use identity::EditionId;
use jiff_sqlx::ToSqlx;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgExecutor, Row};
use workdays::{UnknownRegion, WorkingDays};

use super::{time_zone, unreadable};
use crate::domain::planning::Rules;
use crate::domain::zone_name;

/// What an edition says; none if it is not known.
///
/// # Errors
/// If the database fails.
pub async fn find(executor: impl PgExecutor<'_>, edition: EditionId) -> sqlx::Result<Option<Rules>> {
    let row = sqlx::query("select * from editions where edition_id = $1")
        .bind(edition.uuid())
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(rules).transpose()
}

fn rules(row: &PgRow) -> sqlx::Result<Rules> {
    Ok(Rules {
        start_date: row.try_get::<jiff_sqlx::Date, _>("start_date")?.to_jiff(),
        months: row.try_get("months")?,
        session_minutes: row.try_get("session_minutes")?,
        time_zone: time_zone(row, "time_zone")?,
        working_days: working_days(row)?,
        topics: row.try_get("topic_ids")?,
    })
}

fn working_days(row: &PgRow) -> sqlx::Result<WorkingDays> {
    let region: String = row.try_get("region")?;
    region.parse().map_err(|unknown: UnknownRegion| unreadable("region", unknown))
}

pub(crate) async fn keep(conn: &mut PgConnection, edition: EditionId, rules: &Rules) -> sqlx::Result<()> {
    sqlx::query(
        "insert into editions (edition_id, start_date, months, session_minutes, time_zone, topic_ids, region)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (edition_id) do update
         set start_date = excluded.start_date,
             months = excluded.months,
             session_minutes = excluded.session_minutes,
             time_zone = excluded.time_zone,
             topic_ids = excluded.topic_ids,
             region = excluded.region",
    )
    .bind(edition.uuid())
    .bind(rules.start_date.to_sqlx())
    .bind(rules.months)
    .bind(rules.session_minutes)
    .bind(zone_name(&rules.time_zone))
    .bind(&rules.topics)
    .bind(rules.working_days.to_string())
    .execute(conn)
    .await
    .map(drop)
}
