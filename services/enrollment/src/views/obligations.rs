//! Obligations.

use eventlog::{Patches, Table, bytes};
use identity::{EditionId, ObligationId, PersonId};
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde_json::{Value, json};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgExecutor, Row};
use uuid::Uuid;

use super::availability::{self, Week};
use super::{named, persons, unreadable};
use crate::domain::availability::Availability;
use crate::domain::obligation::{Acknowledgement, Change, Event, ExcuseReason, Key, Need, Status};

static OBLIGATIONS: Table = Table {
    name: "obligations",
    key: "obligation_id",
    columns: "edition_id, person_id, status, due_date, escalation, excuse_reason, approver_person_id, need_topics, \
              need_levels, need_wanted, sealed_goals, window_weekdays, window_starts, window_ends, time_zone, languages, \
              version, wished_person_ids",
};

/// An obligation as it stands.
#[derive(Clone, Debug)]
pub struct ObligationRow {
    /// Whose it is, and in what.
    pub key: Key,
    /// The executive's given and family name.
    pub display_name: String,
    /// Where it stands.
    pub status: Status,
    /// By when to acknowledge.
    pub due_date: Date,
    /// Reminders past that day.
    pub escalation: i32,
    /// Why excused.
    pub excuse_reason: Option<ExcuseReason>,
    /// Who excused.
    pub approver: Option<PersonId>,
    /// Per topic; empty until acknowledged.
    pub needs: Vec<Need>,
    /// What the executive wants to reach, sealed with their key.
    pub sealed_goals: Option<Vec<u8>>,
    /// People the executive would like to learn from.
    pub wishes: Vec<PersonId>,
    /// When and in which languages.
    pub availability: Option<Availability>,
    /// Its version.
    pub version: i64,
}

impl FromRow<'_, PgRow> for ObligationRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let topics: Vec<String> = row.try_get("need_topics")?;
        let levels: Vec<i32> = row.try_get("need_levels")?;
        let wanted: Vec<bool> = row.try_get("need_wanted")?;
        let needs = topics.into_iter().zip(levels).zip(wanted);
        let needs = needs.map(|((topic, level), wanted)| Need { topic, level, wanted });
        let status = named(row, "status", &Status::ALL, Status::name)?;
        let approver: Option<Uuid> = row.try_get("approver_person_id")?;
        Ok(Self {
            key: key(row)?,
            display_name: row.try_get("display_name")?,
            status: status.ok_or_else(|| unreadable("status", "it is null"))?,
            due_date: row.try_get::<jiff_sqlx::Date, _>("due_date")?.to_jiff(),
            escalation: row.try_get("escalation")?,
            excuse_reason: named(row, "excuse_reason", &ExcuseReason::ALL, ExcuseReason::name)?,
            approver: approver.map(PersonId::from_uuid),
            needs: needs.collect(),
            sealed_goals: row.try_get("sealed_goals")?,
            wishes: persons(row, "wished_person_ids")?,
            availability: availability::read(row)?,
            version: row.try_get("version")?,
        })
    }
}

fn key(row: &PgRow) -> sqlx::Result<Key> {
    Ok(Key {
        obligation: ObligationId::from_uuid(row.try_get("obligation_id")?),
        edition: EditionId::from_uuid(row.try_get("edition_id")?),
        person: PersonId::from_uuid(row.try_get("person_id")?),
    })
}

/// One obligation.
///
/// # Errors
/// If the database fails.
pub async fn find(
    executor: impl PgExecutor<'_>,
    obligation: ObligationId,
) -> sqlx::Result<Option<ObligationRow>> {
    sqlx::query_as(
        "select obligations.*, coalesce(given_name || ' ' || family_name, '') as display_name
         from obligations left join person_details using (person_id)
         where obligation_id = $1",
    )
    .bind(obligation.uuid())
    .fetch_optional(executor)
    .await
}

/// A page of an edition's obligations by id, perhaps only that of one person.
///
/// # Errors
/// If the database fails.
pub async fn page(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    person: Option<PersonId>,
    after: Option<ObligationId>,
    limit: i64,
) -> sqlx::Result<Vec<ObligationRow>> {
    sqlx::query_as(
        "select obligations.*, coalesce(given_name || ' ' || family_name, '') as display_name
         from obligations left join person_details using (person_id)
         where edition_id = $1
           and ($2::uuid is null or person_id = $2)
           and ($3::uuid is null or obligation_id > $3)
         order by obligation_id
         limit $4",
    )
    .bind(edition.uuid())
    .bind(person.map(PersonId::uuid))
    .bind(after.map(ObligationId::uuid))
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// The obligations of an edition that stand so.
///
/// # Errors
/// If the database fails.
pub async fn standing(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    statuses: &[Status],
) -> sqlx::Result<Vec<ObligationId>> {
    let names: Vec<&str> = statuses.iter().map(|status| status.name()).collect();
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select obligation_id from obligations
         where edition_id = $1 and status = any ($2)
         order by obligation_id",
    )
    .bind(edition.uuid())
    .bind(names)
    .fetch_all(executor)
    .await?;
    Ok(ids.into_iter().map(ObligationId::from_uuid).collect())
}

/// The obligations that were due before a day and may have to be escalated, each with the zone in which its days begin.
///
/// Whoever has left is not reminded.
///
/// # Errors
/// If the database fails.
pub async fn overdue(
    executor: impl PgExecutor<'_>,
    before: Date,
    escalation_max: i32,
) -> sqlx::Result<Vec<(ObligationId, String)>> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "select obligation_id, editions.time_zone
         from obligations join editions using (edition_id) join people using (person_id)
         where status = 'due' and due_date < $1 and escalation < $2 and last_day is null
           and phase not in ('completed', 'archived')
         order by obligation_id",
    )
    .bind(before.to_sqlx())
    .bind(escalation_max)
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|(id, zone)| (ObligationId::from_uuid(id), zone)).collect())
}

/// The obligations of a person that stand so, in editions that are not over.
///
/// # Errors
/// If the database fails.
pub async fn of_person(
    executor: impl PgExecutor<'_>,
    person: PersonId,
    statuses: &[Status],
) -> sqlx::Result<Vec<Key>> {
    let names: Vec<&str> = statuses.iter().map(|status| status.name()).collect();
    let rows = sqlx::query(
        "select obligation_id, edition_id, person_id
         from obligations join editions using (edition_id)
         where person_id = $1 and status = any ($2) and phase not in ('completed', 'archived')
         order by obligation_id",
    )
    .bind(person.uuid())
    .bind(names)
    .fetch_all(executor)
    .await?;
    rows.iter().map(key).collect()
}

pub(super) fn apply(patches: &mut Patches, event: &Event, version: i64) {
    let Key { obligation, edition, person } = event.key;
    let mut change = |mut columns: Value| {
        columns["obligation_id"] = json!(obligation);
        patches.change(&OBLIGATIONS, columns);
    };
    match &event.change {
        Change::Raised(due_date) => patches.set(
            &OBLIGATIONS,
            json!({
                "obligation_id": obligation, "edition_id": edition, "person_id": person,
                "status": Status::Due.name(), "due_date": due_date, "escalation": 0, "need_topics": [],
                "need_levels": [], "need_wanted": [], "window_weekdays": [], "window_starts": [],
                "window_ends": [], "languages": [], "wished_person_ids": [], "sealed_goals": null,
                "time_zone": null, "excuse_reason": null, "approver_person_id": null,
            }),
        ),
        Change::Acknowledged(said) => change(acknowledged(said)),
        Change::Escalated(step) => change(json!({ "escalation": step })),
        Change::Excused(reason, approver) => change(json!({
            "status": Status::Excused.name(), "excuse_reason": reason.name(), "approver_person_id": approver,
        })),
        Change::Fulfilled => change(json!({ "status": Status::Fulfilled.name() })),
        Change::Lapsed => change(json!({ "status": Status::Lapsed.name() })),
    }
    patches.change(&OBLIGATIONS, json!({ "obligation_id": obligation, "version": version }));
}

fn acknowledged(said: &Acknowledgement) -> Value {
    let Acknowledgement { needs, sealed_goals, availability, wishes } = said;
    let week = Week::of(availability);
    json!({
        "status": Status::Acknowledged.name(),
        "need_topics": needs.iter().map(|need| &need.topic).collect::<Vec<_>>(),
        "need_levels": needs.iter().map(|need| need.level).collect::<Vec<_>>(),
        "need_wanted": needs.iter().map(|need| need.wanted).collect::<Vec<_>>(),
        "sealed_goals": bytes(sealed_goals),
        "window_weekdays": week.weekdays, "window_starts": week.starts, "window_ends": week.ends,
        "time_zone": availability.time_zone, "languages": availability.languages, "wished_person_ids": wishes,
    })
}
