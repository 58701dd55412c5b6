//! Days on which people are on leave, from the events of the enrollment.

use identity::PersonId;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;

pub(crate) async fn keep(conn: &mut PgConnection, person: PersonId, days: [Date; 2]) -> sqlx::Result<()> {
    let [first_day, last_day] = days;
    sqlx::query("insert into absences (person_id, first_day, last_day) values ($1, $2, $3)")
        .bind(person.uuid())
        .bind(first_day.to_sqlx())
        .bind(last_day.to_sqlx())
        .execute(conn)
        .await
        .map(drop)
}
