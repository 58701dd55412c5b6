//! Where people stand, as the events say.

use std::collections::BTreeMap;

use eventlog::{Patches, Table};
use identity::PersonId;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde_json::json;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::person::{Change, Event, Place};

static PEOPLE: Table = Table {
    name: "people",
    key: "person_id",
    columns: "manager_person_id, org_unit_id, hire_date, last_day, leaving_on",
};

/// Those whose last working day, announced before, has come; whoever was hired anew since has another one.
///
/// # Errors
/// If the database fails.
pub async fn leaving(executor: impl PgExecutor<'_>, today: Date) -> sqlx::Result<Vec<(PersonId, Date)>> {
    let rows: Vec<(Uuid, jiff_sqlx::Date)> = sqlx::query_as(
        "select person_id, leaving_on
         from people
         where leaving_on <= $1 and leaving_on >= hire_date
         order by leaving_on, person_id",
    )
    .bind(today.to_sqlx())
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|(person, day)| (PersonId::from_uuid(person), day.to_jiff())).collect())
}

/// Whether a person has left the company, which stays so until the transaction ends.
///
/// # Errors
/// If the database fails.
pub async fn has_left(executor: impl PgExecutor<'_>, person: PersonId) -> sqlx::Result<bool> {
    let left: Option<bool> =
        sqlx::query_scalar("select last_day is not null from people where person_id = $1 for update")
            .bind(person.uuid())
            .fetch_optional(executor)
            .await?;
    Ok(left.unwrap_or_default())
}

/// People who join: a first snapshot is of nobody else, so that they are written without the detour of a patch.
#[derive(Debug, Default)]
pub(super) struct Newcomers(BTreeMap<PersonId, Place>);

impl Newcomers {
    /// Writes them, in front of whatever else happens to them.
    pub(super) async fn write(self, conn: &mut PgConnection) -> sqlx::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let each = |field: fn(&Place) -> Option<Uuid>| self.0.values().map(field).collect::<Vec<_>>();
        sqlx::query(
            "insert into people (person_id, manager_person_id, org_unit_id, hire_date)
             select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::date[])
             on conflict (person_id) do update
             set manager_person_id = excluded.manager_person_id, org_unit_id = excluded.org_unit_id,
                 hire_date = excluded.hire_date",
        )
        .bind(self.0.keys().map(|person| person.uuid()).collect::<Vec<_>>())
        .bind(each(|place| place.manager.map(PersonId::uuid)))
        .bind(each(|place| Some(place.org_unit.uuid())))
        .bind(self.0.values().map(|place| place.hire_date.to_sqlx()).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
    }
}

pub(super) fn apply(newcomers: &mut Newcomers, patches: &mut Patches, event: &Event, version: i64) {
    let person = event.person;
    match &event.change {
        Change::Joined(place) if version == 1 => {
            newcomers.0.insert(person, *place);
        }
        Change::Joined(place) | Change::Moved(place) => patches.set(
            &PEOPLE,
            json!({ "person_id": person, "manager_person_id": place.manager, "org_unit_id": place.org_unit,
                    "hire_date": place.hire_date }),
        ),
        Change::Leaving(last_day) => {
            patches.change(&PEOPLE, json!({ "person_id": person, "leaving_on": last_day }));
        }
        Change::Left(last_day) => {
            let row = json!({ "person_id": person, "last_day": last_day, "leaving_on": null });
            patches.change(&PEOPLE, row);
        }
        Change::Returned => patches.change(&PEOPLE, json!({ "person_id": person, "last_day": null })),
        // A leave concerns what is planned, which other services know. Who was a mistake or is erased has left before.
        Change::Absent(_) | Change::AbsenceEnded { .. } | Change::Rescinded | Change::Erased => {}
    }
}
