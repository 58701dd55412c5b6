//! Applications and obligations, as the enrollment service says: who teaches, who learns, and when.

use std::collections::BTreeMap;

use eventlog::{Patches, Table};
use identity::{ApplicationId, EditionId, ObligationId, PersonId};
use serde_json::{Value, json};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgExecutor, Row};
use uuid::Uuid;

use crate::domain::week::Window;

static APPLICATIONS: Table = Table {
    name: "applications",
    key: "application_id",
    columns: "edition_id, person_id, accepted, topics, levels, window_weekdays, window_starts, window_ends, time_zone, \
              languages, capacity, wished_person_ids",
};
static OBLIGATIONS: Table = Table {
    name: "obligations",
    key: "obligation_id",
    columns: "edition_id, person_id, topics, levels, window_weekdays, window_starts, window_ends, time_zone, languages, \
              wished_person_ids",
};

/// What somebody said who wants to take part, or has to.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The edition.
    pub edition: EditionId,
    /// The person.
    pub person: PersonId,
    /// Topics offered or to be learnt, with how well they are known.
    pub levels: BTreeMap<String, i32>,
    /// Stretches of the week.
    pub windows: Vec<Window>,
    /// Their zone, by the IANA time zone database.
    pub time_zone: String,
    /// Languages by BCP 47, best first.
    pub languages: Vec<String>,
    /// People of the other side whom they wished for, by id.
    pub wishes: Vec<PersonId>,
}

/// Somebody who takes part, with the places they have and those which tandems hold or are offered.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What they said.
    pub answer: Answer,
    /// Places they have.
    pub capacity: i32,
    /// Places of live tandems.
    pub live: i64,
    /// Places of active tandems.
    pub active: i64,
}

impl FromRow<'_, PgRow> for Answer {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let topics: Vec<String> = row.try_get("topics")?;
        let levels: Vec<i32> = row.try_get("levels")?;
        let weekdays: Vec<i32> = row.try_get("window_weekdays")?;
        let starts: Vec<i32> = row.try_get("window_starts")?;
        let ends: Vec<i32> = row.try_get("window_ends")?;
        let wishes: Vec<Uuid> = row.try_get("wished_person_ids")?;
        let windows = weekdays.into_iter().zip(starts).zip(ends);
        let windows =
            windows.map(|((weekday, start_minute), end_minute)| Window { weekday, start_minute, end_minute });
        Ok(Self {
            edition: EditionId::from_uuid(row.try_get("edition_id")?),
            person: PersonId::from_uuid(row.try_get("person_id")?),
            levels: topics.into_iter().zip(levels).collect(),
            windows: windows.collect(),
            time_zone: row.try_get("time_zone")?,
            languages: row.try_get("languages")?,
            wishes: wishes.into_iter().map(PersonId::from_uuid).collect(),
        })
    }
}

impl FromRow<'_, PgRow> for Candidate {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            answer: Answer::from_row(row)?,
            capacity: row.try_get("capacity")?,
            live: row.try_get("live")?,
            active: row.try_get("active")?,
        })
    }
}

/// The accepted mentors of an edition who still work here, by person; perhaps only one.
///
/// # Errors
/// If the database fails.
pub async fn mentors(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    only: Option<PersonId>,
) -> sqlx::Result<Vec<Candidate>> {
    sqlx::query_as(
        "select application.*, taken.live, taken.active,
                least(application.capacity, edition.mentor_capacity_max) as capacity
         from applications as application
              join editions as edition using (edition_id)
              join people as person using (person_id)
              cross join lateral (
                  select count(*) filter (where status in ('published', 'active')) as live,
                         count(*) filter (where status = 'active') as active
                  from tandems
                  where edition_id = application.edition_id and mentor_person_id = application.person_id
              ) as taken
         where application.edition_id = $1 and application.accepted and not person.left_company
           and ($2::uuid is null or application.person_id = $2)
         order by application.person_id",
    )
    .bind(edition.uuid())
    .bind(only.map(PersonId::uuid))
    .fetch_all(executor)
    .await
}

/// The executives who took their obligation on and still work here, by person; perhaps only one.
///
/// # Errors
/// If the database fails.
pub async fn mentees(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    only: Option<PersonId>,
) -> sqlx::Result<Vec<Candidate>> {
    sqlx::query_as(
        "select obligation.*, taken.live, taken.active, 1 as capacity
         from obligations as obligation
              join people as person using (person_id)
              cross join lateral (
                  select count(*) filter (where status in ('published', 'active')) as live,
                         count(*) filter (where status = 'active') as active
                  from tandems
                  where edition_id = obligation.edition_id and mentee_person_id = obligation.person_id
              ) as taken
         where obligation.edition_id = $1 and not person.left_company
           and ($2::uuid is null or obligation.person_id = $2)
         order by obligation.person_id",
    )
    .bind(edition.uuid())
    .bind(only.map(PersonId::uuid))
    .fetch_all(executor)
    .await
}

/// The places that a mentor has in an edition; 0 for whoever is no mentor in it.
///
/// # Errors
/// If the database fails.
pub async fn capacity(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    mentor: PersonId,
) -> sqlx::Result<i32> {
    let capacity: Option<i32> = sqlx::query_scalar(
        "select least(application.capacity, edition.mentor_capacity_max)
         from applications as application join editions as edition using (edition_id)
         where edition_id = $1 and application.person_id = $2 and application.accepted",
    )
    .bind(edition.uuid())
    .bind(mentor.uuid())
    .fetch_optional(executor)
    .await?;
    Ok(capacity.unwrap_or_default())
}

/// Keeps an application that may be accepted.
pub fn add_application(patches: &mut Patches, application: ApplicationId, answer: &Answer, capacity: i32) {
    let row = json!({ "application_id": application, "accepted": false, "capacity": capacity });
    patches.set(&APPLICATIONS, row);
    patches.change(&APPLICATIONS, with(json!({ "application_id": application }), answer));
}

/// Notes that an applicant is a mentor.
pub fn accept_application(patches: &mut Patches, application: ApplicationId) {
    patches.change(&APPLICATIONS, json!({ "application_id": application, "accepted": true }));
}

/// Forgets an application that was taken back or not taken.
pub fn drop_application(patches: &mut Patches, application: ApplicationId) {
    patches.remove(&APPLICATIONS, json!({ "application_id": application }));
}

/// Keeps an obligation that was taken on.
pub fn set_obligation(patches: &mut Patches, obligation: ObligationId, answer: &Answer) {
    patches.set(&OBLIGATIONS, with(json!({ "obligation_id": obligation }), answer));
}

/// Forgets an obligation that was excused or has lapsed.
pub fn drop_obligation(patches: &mut Patches, obligation: ObligationId) {
    patches.remove(&OBLIGATIONS, json!({ "obligation_id": obligation }));
}

/// A row with what somebody said.
fn with(mut row: Value, answer: &Answer) -> Value {
    let each = |minute: fn(&Window) -> i32| answer.windows.iter().map(minute).collect::<Vec<_>>();
    row["edition_id"] = json!(answer.edition);
    row["person_id"] = json!(answer.person);
    row["topics"] = answer.levels.keys().map(String::as_str).collect();
    row["levels"] = answer.levels.values().copied().collect();
    row["window_weekdays"] = json!(each(|window| window.weekday));
    row["window_starts"] = json!(each(|window| window.start_minute));
    row["window_ends"] = json!(each(|window| window.end_minute));
    row["time_zone"] = json!(answer.time_zone);
    row["languages"] = json!(answer.languages);
    row["wished_person_ids"] = json!(answer.wishes);
    row
}
