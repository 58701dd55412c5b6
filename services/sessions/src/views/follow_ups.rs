//! Follow-ups.

use eventlog::{Patches, Table};
use identity::{EditionId, FollowUpId, PersonId};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff_sqlx::ToSqlx;
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgExecutor, Row};

use crate::domain::follow_up::{Change, Event, Subject};

static FOLLOW_UPS: Table = Table {
    name: "follow_ups",
    key: "follow_up_id",
    columns: "edition_id, mentee_person_id, months, due_date, is_due, active",
};

/// A follow-up as it stands.
#[derive(Clone, Debug)]
pub struct FollowUpRow {
    /// Who is asked about what.
    pub subject: Subject,
    /// The day from which it can be answered.
    pub due_date: Date,
    /// Whether the practice is alive; none until it is answered.
    pub active: Option<bool>,
}

impl FromRow<'_, PgRow> for FollowUpRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            subject: Subject {
                id: FollowUpId::from_uuid(row.try_get("follow_up_id")?),
                edition: EditionId::from_uuid(row.try_get("edition_id")?),
                mentee: PersonId::from_uuid(row.try_get("mentee_person_id")?),
                months: row.try_get("months")?,
            },
            due_date: row.try_get::<jiff_sqlx::Date, _>("due_date")?.to_jiff(),
            active: row.try_get("active")?,
        })
    }
}

/// One follow-up.
///
/// # Errors
/// If the database fails.
pub async fn find(executor: impl PgExecutor<'_>, follow_up: FollowUpId) -> sqlx::Result<Option<FollowUpRow>> {
    sqlx::query_as("select * from follow_ups where follow_up_id = $1")
        .bind(follow_up.uuid())
        .fetch_optional(executor)
        .await
}

/// A page of a person's follow-ups of an edition by month.
///
/// # Errors
/// If the database fails.
pub async fn page(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    mentee: PersonId,
    after_months: Option<i32>,
    limit: i64,
) -> sqlx::Result<Vec<FollowUpRow>> {
    sqlx::query_as(
        "select * from follow_ups
         where edition_id = $1 and mentee_person_id = $2 and months > $3
         order by months
         limit $4",
    )
    .bind(edition.uuid())
    .bind(mentee.uuid())
    .bind(after_months.unwrap_or_default())
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// The follow-ups whose day comes until then and was not noticed, each with the zone in which its days begin.
///
/// # Errors
/// If the database fails.
pub async fn to_come(executor: impl PgExecutor<'_>, until: Date) -> sqlx::Result<Vec<(Subject, TimeZone)>> {
    let rows: Vec<PgRow> = sqlx::query(
        "select follow_ups.*, editions.time_zone
         from follow_ups join editions using (edition_id)
         where not is_due and due_date <= $1
         order by due_date, follow_up_id",
    )
    .bind(until.to_sqlx())
    .fetch_all(executor)
    .await?;
    let read = |row| Ok((FollowUpRow::from_row(row)?.subject, super::time_zone(row, "time_zone")?));
    rows.iter().map(read).collect()
}

pub(super) fn apply(patches: &mut Patches, event: &Event) {
    let Subject { id, edition, mentee, months } = event.subject;
    match &event.change {
        Change::Scheduled(due_date) => patches.set(
            &FOLLOW_UPS,
            json!({ "follow_up_id": id, "edition_id": edition, "mentee_person_id": mentee, "months": months,
                    "due_date": due_date, "is_due": false }),
        ),
        Change::Due => patches.change(&FOLLOW_UPS, json!({ "follow_up_id": id, "is_due": true })),
        Change::Answered(answer) => {
            patches.change(&FOLLOW_UPS, json!({ "follow_up_id": id, "active": answer.active }));
        }
    }
}
