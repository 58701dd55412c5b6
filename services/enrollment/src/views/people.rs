//! Where people stand, as the events say.

use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;

use crate::domain::person::{Change, Event};

pub(super) async fn apply(conn: &mut PgConnection, event: &Event) -> sqlx::Result<()> {
    let person = event.person.uuid();
    let query = match &event.change {
        Change::Joined(place) | Change::Moved(place) => sqlx::query(
            "insert into people (person_id, manager_person_id, org_unit_id, hire_date)
             values ($1, $2, $3, $4)
             on conflict (person_id) do update
             set manager_person_id = excluded.manager_person_id,
                 org_unit_id = excluded.org_unit_id,
                 hire_date = excluded.hire_date",
        )
        .bind(person)
        .bind(place.manager.map(identity::PersonId::uuid))
        .bind(place.org_unit.uuid())
        .bind(place.hire_date.to_sqlx()),
        Change::Left(last_day) => sqlx::query("update people set last_day = $2 where person_id = $1")
            .bind(person)
            .bind(last_day.to_sqlx()),
        Change::Returned => {
            sqlx::query("update people set last_day = null where person_id = $1").bind(person)
        }
        // A leave concerns what is planned, which other services know.
        Change::Absent(_) => return Ok(()),
    };
    query.execute(conn).await.map(drop)
}
