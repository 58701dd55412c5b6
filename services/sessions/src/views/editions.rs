//! What the editions say about sessions, from the events of the enrollment.

use eventlog::{Patches, Table};
use identity::EditionId;
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{PgExecutor, Row};
use workdays::{UnknownRegion, WorkingDays};

use super::{time_zone, unreadable};
use crate::domain::planning::Rules;
use crate::domain::zone_name;

static EDITIONS: Table = Table {
    name: "editions",
    key: "edition_id",
    columns: "start_date, months, session_minutes, time_zone, topic_ids, region",
};

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

pub(crate) fn keep(patches: &mut Patches, edition: EditionId, rules: &Rules) {
    let Rules { start_date, months, session_minutes, time_zone, topics, working_days } = rules;
    let row = json!({ "edition_id": edition, "start_date": start_date, "months": months,
                      "session_minutes": session_minutes, "time_zone": zone_name(time_zone), "topic_ids": topics,
                      "region": working_days.to_string() });
    patches.set(&EDITIONS, row);
}
