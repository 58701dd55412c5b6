//! The directory: where people stand, joined with what the HR system says about them.

use std::collections::HashMap;

use identity::{EditionId, OrgUnitId, PersonId};
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, Row};
use uuid::Uuid;

use super::copying::Rows;
use super::uuids;
use crate::domain::eligibility::Candidate;
pub use crate::domain::merge::Details;
use crate::domain::merge::Told;
use crate::domain::person::{Leave, Place};
use crate::domain::rules::ObligationRule;

impl FromRow<'_, PgRow> for Details {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            employee_number: row.try_get("employee_number")?,
            user_name: row.try_get("user_name")?,
            given_name: row.try_get("given_name")?,
            family_name: row.try_get("family_name")?,
            email: row.try_get("email")?,
            job_title: row.try_get("job_title")?,
            department: row.try_get("department")?,
        })
    }
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
        Ok(Self {
            person: PersonId::from_uuid(row.try_get("person_id")?),
            place: place(row)?,
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
    /// Levels below the top; none of somebody who does not hang below it.
    pub level: Option<i32>,
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

/// Walks up from each of a page.
const PAGE: &str =
    "select *, last_day is null as active, level_of(person_id) as level, leads_others(person_id) as leads_others
     from people join person_details using (person_id)
     where ($1::text is null or (employee_number, person_id) > ($1, $2)) and $3::integer is null
       and ($5::uuid is null or person_id in (select person_id from all_below($5)))
     order by employee_number, person_id
     limit $4";

/// Descends from the top, once and no further than is asked for.
const PAGE_OF_LEVELS: &str = "select *, last_day is null as active, leads_others(person_id) as leads_others
     from levels($3) join people using (person_id) join person_details using (person_id)
     where ($1::text is null or (employee_number, person_id) > ($1, $2))
       and ($5::uuid is null or person_id in (select person_id from all_below($5)))
     order by employee_number, person_id
     limit $4";

/// A page of people by employee number, perhaps only of those at most so many levels below the top, or below a person.
///
/// # Errors
/// If the database fails.
pub async fn page(
    executor: impl PgExecutor<'_>,
    max_level: Option<i32>,
    below: Option<PersonId>,
    after: Option<(&str, PersonId)>,
    limit: i64,
) -> sqlx::Result<Vec<Placed>> {
    let query = if max_level.is_some() { PAGE_OF_LEVELS } else { PAGE };
    sqlx::query_as(query)
        .bind(after.map(|(number, _)| number))
        .bind(after.map(|(_, person)| person.uuid()))
        .bind(max_level)
        .bind(limit)
        .bind(below.map(PersonId::uuid))
        .fetch_all(executor)
        .await
}

/// Keeps what the HR system says about people of whom nothing was kept before.
///
/// # Errors
/// If the database fails.
pub async fn add_details(
    conn: &mut PgConnection,
    people: &[(PersonId, &Details, Option<Leave>)],
) -> sqlx::Result<()> {
    if people.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new();
    for (person, details, leave) in people {
        rows.row(10);
        rows.uuid(person.uuid());
        let Details { employee_number, user_name, given_name, family_name, email, job_title, department } =
            details;
        for text in [employee_number, user_name, given_name, family_name, email, job_title, department] {
            rows.text(text);
        }
        rows.or_null(leave.map(|leave| leave.first_day), Rows::date);
        rows.or_null(leave.and_then(|leave| leave.last_day), Rows::date);
    }
    let copy = "copy person_details
                    (person_id, employee_number, user_name, given_name, family_name, email, job_title, department,
                     leave_first_day, leave_last_day)
                from stdin (format binary)";
    rows.copy(conn, copy).await
}

/// The superiors of a person, from the direct one upwards.
///
/// # Errors
/// If the database fails.
pub async fn superiors(executor: impl PgExecutor<'_>, person: PersonId) -> sqlx::Result<Vec<PersonId>> {
    let people: Vec<Uuid> =
        sqlx::query_scalar("select person_id from superiors($1) where distance > 0 order by distance")
            .bind(person.uuid())
            .fetch_all(executor)
            .await?;
    Ok(people.into_iter().map(PersonId::from_uuid).collect())
}

/// The nearest superior of both, who may be one of the two.
///
/// # Errors
/// If the database fails.
pub async fn common_superior(
    executor: impl PgExecutor<'_>,
    one: PersonId,
    other: PersonId,
) -> sqlx::Result<Option<PersonId>> {
    let person: Option<Uuid> = sqlx::query_scalar("select common_superior($1, $2)")
        .bind(one.uuid())
        .bind(other.uuid())
        .fetch_one(executor)
        .await?;
    Ok(person.map(PersonId::from_uuid))
}

/// Keeps what the HR system says about people.
///
/// # Errors
/// If the database fails.
pub async fn keep_details(
    conn: &mut PgConnection,
    people: &[(PersonId, &Details, Option<Leave>)],
) -> sqlx::Result<()> {
    if people.is_empty() {
        return Ok(());
    }
    let each = |text: fn(&Details) -> &str| people.iter().map(|(_, said, _)| text(said)).collect::<Vec<_>>();
    let day = |day: fn(Leave) -> Option<Date>| {
        people.iter().map(|(.., leave)| leave.and_then(day).map(ToSqlx::to_sqlx)).collect::<Vec<_>>()
    };
    sqlx::query(
        "insert into person_details
             (person_id, employee_number, user_name, given_name, family_name, email, job_title, department,
              leave_first_day, leave_last_day)
         select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                              $8::text[], $9::date[], $10::date[])
         on conflict (person_id) do update
         set employee_number = excluded.employee_number, user_name = excluded.user_name,
             given_name = excluded.given_name, family_name = excluded.family_name, email = excluded.email,
             job_title = excluded.job_title, department = excluded.department,
             leave_first_day = excluded.leave_first_day, leave_last_day = excluded.leave_last_day",
    )
    .bind(people.iter().map(|(person, ..)| person.uuid()).collect::<Vec<_>>())
    .bind(each(|said| &said.employee_number))
    .bind(each(|said| &said.user_name))
    .bind(each(|said| &said.given_name))
    .bind(each(|said| &said.family_name))
    .bind(each(|said| &said.email))
    .bind(each(|said| &said.job_title))
    .bind(each(|said| &said.department))
    .bind(day(|leave| Some(leave.first_day)))
    .bind(day(|leave| leave.last_day))
    .execute(conn)
    .await
    .map(drop)
}

/// What events and details say of people, as far as any event tells of them.
///
/// # Errors
/// If the database fails.
pub async fn told(conn: &mut PgConnection, people: &[Uuid]) -> sqlx::Result<HashMap<PersonId, Told>> {
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        "select people.*, details.person_id is not null as is_shown, employee_number, user_name, given_name,
                family_name, email, job_title, department, leave_first_day, leave_last_day
         from unnest($1::uuid[]) as wanted (person_id)
         join people using (person_id)
         left join person_details as details using (person_id)",
    )
    .bind(people)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((PersonId::from_uuid(row.try_get("person_id")?), told_of(row)?))).collect()
}

fn told_of(row: &PgRow) -> sqlx::Result<Told> {
    let day = |column| {
        row.try_get::<Option<jiff_sqlx::Date>, _>(column).map(|date| date.map(jiff_sqlx::Date::to_jiff))
    };
    let details = if row.try_get("is_shown")? { Some(Details::from_row(row)?) } else { None };
    let last_day = day("leave_last_day")?;
    Ok(Told {
        place: place(row)?,
        last_day: day("last_day")?,
        details,
        leave: day("leave_first_day")?.map(|first_day| Leave { first_day, last_day }),
    })
}

fn place(row: &PgRow) -> sqlx::Result<Place> {
    let manager: Option<Uuid> = row.try_get("manager_person_id")?;
    Ok(Place {
        manager: manager.map(PersonId::from_uuid),
        org_unit: OrgUnitId::from_uuid(row.try_get("org_unit_id")?),
        hire_date: row.try_get::<jiff_sqlx::Date, _>("hire_date")?.to_jiff(),
    })
}

/// Forgets what is shown of people, and when they were born.
///
/// # Errors
/// If the database fails.
pub async fn hide(conn: &mut PgConnection, people: &[Uuid]) -> sqlx::Result<()> {
    if people.is_empty() {
        return Ok(());
    }
    for statement in [
        "delete from person_details where person_id = any ($1)",
        "delete from birth_dates where person_id = any ($1)",
    ] {
        sqlx::query(statement).bind(people).execute(&mut *conn).await?;
    }
    Ok(())
}

/// The people whom a rule obliges as the directory stands now.
///
/// # Errors
/// If the database fails.
pub async fn obliged(executor: impl PgExecutor<'_>, rule: &ObligationRule) -> sqlx::Result<Vec<PersonId>> {
    let people: Vec<Uuid> = sqlx::query_scalar(
        "select person_id
         from people left join levels($1) using (person_id)
         where last_day is null
           and person_id <> all ($4)
           and (person_id = any ($3) or (level is not null and (not $2 or leads_others(person_id))))
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
