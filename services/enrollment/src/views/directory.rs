//! The directory: where people stand, joined with what the HR system says about them.

use identity::{EditionId, OrgUnitId, PersonId};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, Row};
use uuid::Uuid;

use super::uuids;
use crate::domain::eligibility::Candidate;
use crate::domain::person::Place;
use crate::domain::rules::ObligationRule;

/// What the HR system says about a person beyond their place.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Details {
    /// The key in the HR system.
    pub employee_number: String,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Work address.
    pub email: String,
    /// Job title.
    pub job_title: String,
    /// Department.
    pub department: String,
}

/// A person as the directory knows them.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The person.
    pub person: PersonId,
    /// Where they stand.
    pub place: Place,
    /// What the HR system says.
    pub details: Details,
    /// Whether they work here.
    pub active: bool,
}

impl FromRow<'_, PgRow> for Listed {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let manager: Option<Uuid> = row.try_get("manager_person_id")?;
        Ok(Self {
            person: PersonId::from_uuid(row.try_get("person_id")?),
            place: Place {
                manager: manager.map(PersonId::from_uuid),
                org_unit: OrgUnitId::from_uuid(row.try_get("org_unit_id")?),
                hire_date: row.try_get::<jiff_sqlx::Date, _>("hire_date")?.to_jiff(),
            },
            details: Details::from_row(row)?,
            active: row.try_get("active")?,
        })
    }
}

/// A person together with what follows from everybody's place.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The person.
    pub listed: Listed,
    /// Levels below the top.
    pub level: i32,
    /// Whether anybody reports to them.
    pub leads_others: bool,
}

impl FromRow<'_, PgRow> for Placed {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            listed: Listed::from_row(row)?,
            level: row.try_get("level")?,
            leads_others: row.try_get("leads_others")?,
        })
    }
}

/// Waits until nobody else changes the directory, and keeps it so until the transaction ends.
///
/// # Errors
/// If the database fails.
pub async fn hold_alone(conn: &mut PgConnection) -> sqlx::Result<()> {
    // A statement of its own, so that the next one sees what the previous holder has committed.
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('directory', 0))")
        .execute(conn)
        .await
        .map(drop)
}

/// Everybody the directory has ever seen, for whoever alone changes it until the transaction ends.
///
/// # Errors
/// If the database fails.
pub async fn everybody_alone(conn: &mut PgConnection) -> sqlx::Result<Vec<Listed>> {
    hold_alone(conn).await?;
    sqlx::query_as("select *, last_day is null as active from people join person_details using (person_id)")
        .fetch_all(conn)
        .await
}

/// One person.
///
/// # Errors
/// If the database fails.
pub async fn find(executor: impl PgExecutor<'_>, person: PersonId) -> sqlx::Result<Option<Placed>> {
    sqlx::query_as(
        "select *, last_day is null as active, level_of(person_id) as level, leads_others(person_id) as leads_others
         from people join person_details using (person_id)
         where person_id = $1",
    )
    .bind(person.uuid())
    .fetch_optional(executor)
    .await
}

/// A page of people by employee number, perhaps only of those at most so many levels below the top.
///
/// # Errors
/// If the database fails.
pub async fn page(
    executor: impl PgExecutor<'_>,
    max_level: Option<i32>,
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<Placed>> {
    sqlx::query_as(
        "select *, last_day is null as active, level_of(person_id) as level, leads_others(person_id) as leads_others
         from people join person_details using (person_id)
         where ($1::text is null or employee_number > $1) and ($2::integer is null or level_of(person_id) <= $2)
         order by employee_number
         limit $3",
    )
    .bind(after)
    .bind(max_level)
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// Keeps what the HR system says about people.
///
/// # Errors
/// If the database fails.
pub async fn keep_details(conn: &mut PgConnection, people: &[(PersonId, &Details)]) -> sqlx::Result<()> {
    let each = |text: fn(&Details) -> &str| people.iter().map(|(_, said)| text(said)).collect::<Vec<_>>();
    sqlx::query(
        "insert into person_details
             (person_id, employee_number, given_name, family_name, email, job_title, department)
         select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
         on conflict (person_id) do update
         set given_name = excluded.given_name, family_name = excluded.family_name, email = excluded.email,
             job_title = excluded.job_title, department = excluded.department",
    )
    .bind(people.iter().map(|(person, _)| person.uuid()).collect::<Vec<_>>())
    .bind(each(|said| &said.employee_number))
    .bind(each(|said| &said.given_name))
    .bind(each(|said| &said.family_name))
    .bind(each(|said| &said.email))
    .bind(each(|said| &said.job_title))
    .bind(each(|said| &said.department))
    .execute(conn)
    .await
    .map(drop)
}

/// The people whom a rule obliges as the directory stands now.
///
/// # Errors
/// If the database fails.
pub async fn obliged(executor: impl PgExecutor<'_>, rule: &ObligationRule) -> sqlx::Result<Vec<PersonId>> {
    let people: Vec<Uuid> = sqlx::query_scalar(
        "select person_id
         from people
         where last_day is null
           and person_id <> all ($4)
           and (person_id = any ($3) or (level_of(person_id) <= $1 and (not $2 or leads_others(person_id))))
         order by person_id",
    )
    .bind(rule.max_level)
    .bind(rule.leaders_only)
    .bind(uuids(&rule.included))
    .bind(uuids(&rule.excluded))
    .fetch_all(executor)
    .await?;
    Ok(people.into_iter().map(PersonId::from_uuid).collect())
}

/// An applicant as the directory and the edition know them.
#[derive(Clone, Debug)]
pub struct Applicant {
    /// What the rules ask about them, but the date of birth, which is sealed.
    pub candidate: Candidate,
    /// The date of birth, sealed with their key.
    pub sealed_birth_date: Option<Vec<u8>>,
    /// Whether an application of theirs to the edition is still alive.
    pub applied_already: bool,
}

impl FromRow<'_, PgRow> for Applicant {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            candidate: Candidate {
                active: row.try_get("active")?,
                obliged: row.try_get("obliged")?,
                level: row.try_get("level")?,
                hire_date: row.try_get::<jiff_sqlx::Date, _>("hire_date")?.to_jiff(),
                birth_date: None,
            },
            sealed_birth_date: row.try_get("sealed_birth_date")?,
            applied_already: row.try_get("applied_already")?,
        })
    }
}

/// The facts that decide on a person's application, and keeps the same person from applying twice at once.
///
/// # Errors
/// If the database fails.
pub async fn applicant(
    conn: &mut PgConnection,
    edition: EditionId,
    person: PersonId,
) -> sqlx::Result<Option<Applicant>> {
    // A statement of its own, so that the next one sees what the previous holder has committed.
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('applicant' || $1::text || $2::text, 0))")
        .bind(edition.uuid())
        .bind(person.uuid())
        .execute(&mut *conn)
        .await?;
    // Whoever records that somebody leaves waits until this is over, and sees the application.
    sqlx::query("select from people where person_id = $1 for share")
        .bind(person.uuid())
        .execute(&mut *conn)
        .await?;
    sqlx::query_as(
        "select last_day is null as active, hire_date, level_of(person_id) as level,
                exists (select from obligations where edition_id = $1 and person_id = $2) as obliged,
                (select sealed from birth_dates where person_id = $2) as sealed_birth_date,
                exists (
                    select from applications
                    where edition_id = $1 and person_id = $2 and status not in ('declined', 'withdrawn')
                ) as applied_already
         from people
         where person_id = $2",
    )
    .bind(edition.uuid())
    .bind(person.uuid())
    .fetch_optional(conn)
    .await
}
