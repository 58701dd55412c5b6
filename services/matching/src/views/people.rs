//! Where people stand in the organisation, as the enrollment service says.

use std::collections::{BTreeMap, BTreeSet};

use eventlog::{Patches, Table};
use identity::{OrgUnitId, PersonId};
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde_json::json;
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::domain::inputs::Standing;

static ABSENCES: Table = Table { name: "absences", key: "person_id, first_day", columns: "last_day" };
static PEOPLE: Table =
    Table { name: "people", key: "person_id", columns: "manager_person_id, org_unit_id, left_company" };

/// No reporting line is longer; it ends a walk in a circle, which can stand for a moment while a roster is taken in.
const LINE_LENGTH_MAX: i32 = 64;

/// Notes that a person works here, and where.
pub fn join(patches: &mut Patches, person: PersonId, manager: Option<PersonId>, org_unit: OrgUnitId) {
    patches.set(&PEOPLE, json!({ "person_id": person, "left_company": false }));
    place(patches, person, manager, org_unit);
}

/// Notes where a person stands.
pub fn place(patches: &mut Patches, person: PersonId, manager: Option<PersonId>, org_unit: OrgUnitId) {
    let row = json!({ "person_id": person, "manager_person_id": manager, "org_unit_id": org_unit });
    patches.change(&PEOPLE, row);
}

/// Notes whether a person has left the company.
pub fn set_left(patches: &mut Patches, person: PersonId, left: bool) {
    patches.change(&PEOPLE, json!({ "person_id": person, "left_company": left }));
}

/// Notes that a person is on leave, to the last day where it is known; a leave that never was is none.
pub fn set_away(patches: &mut Patches, person: PersonId, first_day: Date, last_day: Option<Date>) {
    if last_day.is_some_and(|last_day| last_day < first_day) {
        patches.remove(&ABSENCES, json!({ "person_id": person, "first_day": first_day }));
    } else {
        let row = json!({ "person_id": person, "first_day": first_day, "last_day": last_day });
        patches.set(&ABSENCES, row);
    }
}

/// Who is on leave on a day.
///
/// # Errors
/// If the database fails.
pub async fn away(executor: impl PgExecutor<'_>, day: Date) -> sqlx::Result<BTreeSet<PersonId>> {
    let people: Vec<Uuid> = sqlx::query_scalar(
        "select person_id from absences where $1 between first_day and coalesce(last_day, $1)",
    )
    .bind(day.to_sqlx())
    .fetch_all(executor)
    .await?;
    Ok(people.into_iter().map(PersonId::from_uuid).collect())
}

/// The leaves of some people: the first day and the last of each; an open one has no last day.
///
/// # Errors
/// If the database fails.
pub async fn leaves(
    executor: impl PgExecutor<'_>,
    people: &BTreeSet<PersonId>,
) -> sqlx::Result<BTreeMap<PersonId, Vec<(Date, Option<Date>)>>> {
    let days: Vec<(Uuid, jiff_sqlx::Date, Option<jiff_sqlx::Date>)> =
        sqlx::query_as("select person_id, first_day, last_day from absences where person_id = any ($1)")
            .bind(people.iter().map(|person| person.uuid()).collect::<Vec<_>>())
            .fetch_all(executor)
            .await?;
    let mut leaves = BTreeMap::<_, Vec<_>>::new();
    for (person, first_day, last_day) in days {
        let days = (first_day.to_jiff(), last_day.map(jiff_sqlx::Date::to_jiff));
        leaves.entry(PersonId::from_uuid(person)).or_default().push(days);
    }
    Ok(leaves)
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
