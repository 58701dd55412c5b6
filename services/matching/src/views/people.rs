//! Where people stand in the organisation, as the enrollment service says.

use std::collections::{BTreeMap, BTreeSet};

use identity::{OrgUnitId, PersonId};
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::inputs::Standing;

/// No reporting line is longer; it ends a walk in a circle, which can stand for a moment while a roster is taken in.
const LINE_LENGTH_MAX: i32 = 64;

/// Notes where a person stands.
///
/// # Errors
/// If the database fails.
pub async fn place(
    conn: &mut PgConnection,
    person: PersonId,
    manager: Option<PersonId>,
    org_unit: OrgUnitId,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into people (person_id, manager_person_id, org_unit_id)
         values ($1, $2, $3)
         on conflict (person_id) do update
         set manager_person_id = excluded.manager_person_id, org_unit_id = excluded.org_unit_id",
    )
    .bind(person.uuid())
    .bind(manager.map(PersonId::uuid))
    .bind(org_unit.uuid())
    .execute(conn)
    .await
    .map(drop)
}

/// Notes whether a person has left the company.
///
/// # Errors
/// If the database fails.
pub async fn set_left(conn: &mut PgConnection, person: PersonId, left: bool) -> sqlx::Result<()> {
    sqlx::query("update people set left_company = $2 where person_id = $1")
        .bind(person.uuid())
        .bind(left)
        .execute(conn)
        .await
        .map(drop)
}

/// Notes that a person is on leave, both days included.
///
/// # Errors
/// If the database fails.
pub async fn set_away(
    conn: &mut PgConnection,
    person: PersonId,
    first_day: Date,
    last_day: Date,
) -> sqlx::Result<()> {
    sqlx::query("insert into absences (person_id, first_day, last_day) values ($1, $2, $3)")
        .bind(person.uuid())
        .bind(first_day.to_sqlx())
        .bind(last_day.to_sqlx())
        .execute(conn)
        .await
        .map(drop)
}

/// Who is on leave on a day.
///
/// # Errors
/// If the database fails.
pub async fn away(executor: impl PgExecutor<'_>, day: Date) -> sqlx::Result<BTreeSet<PersonId>> {
    let people: Vec<Uuid> =
        sqlx::query_scalar("select person_id from absences where $1 between first_day and last_day")
            .bind(day.to_sqlx())
            .fetch_all(executor)
            .await?;
    Ok(people.into_iter().map(PersonId::from_uuid).collect())
}

/// Where people stand, with all their superiors.
///
/// # Errors
/// If the database fails.
pub async fn standings(
    executor: impl PgExecutor<'_>,
    people: &[PersonId],
) -> sqlx::Result<BTreeMap<PersonId, Standing>> {
    let ids: Vec<Uuid> = people.iter().map(|person| person.uuid()).collect();
    let rows: Vec<(Uuid, Uuid, Vec<Uuid>)> = sqlx::query_as(
        "with recursive line (person_id, superior, depth) as (
             select person_id, manager_person_id, 1
             from people
             where person_id = any ($1) and manager_person_id is not null
             union all
             select line.person_id, people.manager_person_id, line.depth + 1
             from line join people on people.person_id = line.superior
             where people.manager_person_id is not null and line.depth < $2
         )
         select people.person_id, people.org_unit_id,
                array(select superior from line where line.person_id = people.person_id order by depth)
         from people
         where person_id = any ($1)",
    )
    .bind(ids)
    .bind(LINE_LENGTH_MAX)
    .fetch_all(executor)
    .await?;
    let standing = |(person, org_unit, line): (Uuid, Uuid, Vec<Uuid>)| {
        let person = PersonId::from_uuid(person);
        let line = line.into_iter().map(PersonId::from_uuid).collect();
        (person, Standing { person, line, org_unit: OrgUnitId::from_uuid(org_unit) })
    };
    Ok(rows.into_iter().map(standing).collect())
}
