//! Applications.

use eventlog::{Patches, Table, bytes};
use identity::{ApplicationId, EditionId, PersonId};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, Row};
use uuid::Uuid;

use super::availability::{self, Week};
use super::{named, persons, unreadable};
use crate::domain::application::{Change, DecisionReason, Event, Key, Offer, Offering, Status};

static APPLICATIONS: Table = Table {
    name: "applications",
    key: "application_id",
    columns: "edition_id, person_id, status, reason, offer_topics, offer_levels, window_weekdays, window_starts, \
              window_ends, time_zone, languages, capacity, sealed_motivation, sealed_question, sealed_answer, \
              promised_date, submitted_at, version, wished_person_ids",
};

/// An application as it stands.
#[derive(Clone, Debug)]
pub struct ApplicationRow {
    /// Whose it is, and to what.
    pub key: Key,
    /// Where it stands.
    pub status: Status,
    /// Why it was waitlisted or declined.
    pub reason: Option<DecisionReason>,
    /// What is offered.
    pub offering: Offering,
    /// What was asked back, sealed with the applicant's key.
    pub sealed_question: Option<Vec<u8>>,
    /// What was answered, sealed with the applicant's key.
    pub sealed_answer: Option<Vec<u8>>,
    /// By when a decision is promised.
    pub promised_date: Date,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// Its version.
    pub version: i64,
}

impl FromRow<'_, PgRow> for ApplicationRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let topics: Vec<String> = row.try_get("offer_topics")?;
        let levels: Vec<i32> = row.try_get("offer_levels")?;
        let offers = topics.into_iter().zip(levels).map(|(topic, level)| Offer { topic, level });
        let status = named(row, "status", &Status::ALL, Status::name)?;
        Ok(Self {
            key: Key {
                application: ApplicationId::from_uuid(row.try_get("application_id")?),
                edition: EditionId::from_uuid(row.try_get("edition_id")?),
                person: PersonId::from_uuid(row.try_get("person_id")?),
            },
            status: status.ok_or_else(|| unreadable("status", "it is null"))?,
            reason: named(row, "reason", &DecisionReason::ALL, DecisionReason::name)?,
            offering: Offering {
                offers: offers.collect(),
                sealed_motivation: row.try_get("sealed_motivation")?,
                wishes: persons(row, "wished_person_ids")?,
                availability: availability::read(row)?
                    .ok_or_else(|| unreadable("time_zone", "it is null"))?,
                capacity: row.try_get("capacity")?,
            },
            sealed_question: row.try_get("sealed_question")?,
            sealed_answer: row.try_get("sealed_answer")?,
            promised_date: row.try_get::<jiff_sqlx::Date, _>("promised_date")?.to_jiff(),
            submitted_at: row.try_get::<jiff_sqlx::Timestamp, _>("submitted_at")?.to_jiff(),
            version: row.try_get("version")?,
        })
    }
}

/// One application.
///
/// # Errors
/// If the database fails.
pub async fn find(
    executor: impl PgExecutor<'_>,
    application: ApplicationId,
) -> sqlx::Result<Option<ApplicationRow>> {
    sqlx::query_as("select * from applications where application_id = $1")
        .bind(application.uuid())
        .fetch_optional(executor)
        .await
}

/// A page of an edition's applications in order of submission, perhaps only those of one person.
///
/// # Errors
/// If the database fails.
pub async fn page(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    person: Option<PersonId>,
    after: Option<ApplicationId>,
    limit: i64,
) -> sqlx::Result<Vec<ApplicationRow>> {
    sqlx::query_as(
        "select * from applications
         where edition_id = $1
           and ($2::uuid is null or person_id = $2)
           and ($3::uuid is null or application_id > $3)
         order by application_id
         limit $4",
    )
    .bind(edition.uuid())
    .bind(person.map(PersonId::uuid))
    .bind(after.map(ApplicationId::uuid))
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// The applications of a person that are still alive, in editions that are not over and stay as they are until the transaction
/// ends.
///
/// # Errors
/// If the database fails.
pub async fn alive(conn: &mut PgConnection, person: PersonId) -> sqlx::Result<Vec<Key>> {
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "select application_id, edition_id
         from applications join editions using (edition_id)
         where person_id = $1
           and status not in ('declined', 'withdrawn')
           and phase not in ('completed', 'archived')
         order by application_id
         for share of editions",
    )
    .bind(person.uuid())
    .fetch_all(conn)
    .await?;
    let key = |(application, edition)| Key {
        application: ApplicationId::from_uuid(application),
        edition: EditionId::from_uuid(edition),
        person,
    };
    Ok(rows.into_iter().map(key).collect())
}

pub(super) fn apply(patches: &mut Patches, event: &Event, version: i64, at: Timestamp) {
    let application = event.key.application;
    let (status, reason) = match &event.change {
        Change::Submitted(offering, promised_date) => {
            submit(patches, event.key, offering, *promised_date, at);
            (Status::Submitted, None)
        }
        Change::InformationRequested(question) => {
            let row = json!({ "application_id": application, "sealed_question": bytes(question) });
            patches.change(&APPLICATIONS, row);
            (Status::NeedsInfo, None)
        }
        Change::InformationProvided(answer, promised_date) => {
            let row = json!({ "application_id": application, "sealed_answer": bytes(answer),
                              "promised_date": promised_date });
            patches.change(&APPLICATIONS, row);
            (Status::Submitted, None)
        }
        Change::Accepted => (Status::Accepted, None),
        Change::Waitlisted(reason) => (Status::Waitlisted, Some(reason.name())),
        Change::Declined(reason) => (Status::Declined, Some(reason.name())),
        Change::Withdrawn { .. } => (Status::Withdrawn, None),
    };
    let row = json!({ "application_id": application, "status": status.name(), "reason": reason,
                      "version": version });
    patches.change(&APPLICATIONS, row);
}

fn submit(patches: &mut Patches, key: Key, offering: &Offering, promised_date: Date, at: Timestamp) {
    let Offering { offers, sealed_motivation, availability, capacity, wishes } = offering;
    let week = Week::of(availability);
    let row = json!({
        "application_id": key.application, "edition_id": key.edition, "person_id": key.person,
        "offer_topics": offers.iter().map(|offer| &offer.topic).collect::<Vec<_>>(),
        "offer_levels": offers.iter().map(|offer| offer.level).collect::<Vec<_>>(),
        "window_weekdays": week.weekdays, "window_starts": week.starts, "window_ends": week.ends,
        "time_zone": availability.time_zone, "languages": availability.languages, "capacity": capacity,
        "sealed_motivation": bytes(sealed_motivation), "promised_date": promised_date, "submitted_at": at,
        "wished_person_ids": wishes,
    });
    patches.set(&APPLICATIONS, row);
}
