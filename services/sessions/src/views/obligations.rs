//! Who is obliged, from the events of the enrollment.

use identity::{EditionId, PersonId};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

/// The executives of an edition who are obliged and not excused.
///
/// # Errors
/// If the database fails.
pub async fn obliged(executor: impl PgExecutor<'_>, edition: EditionId) -> sqlx::Result<Vec<PersonId>> {
    let people: Vec<Uuid> =
        sqlx::query_scalar("select person_id from obligations where edition_id = $1 order by person_id")
            .bind(edition.uuid())
            .fetch_all(executor)
            .await?;
    Ok(people.into_iter().map(PersonId::from_uuid).collect())
}

pub(crate) async fn raise(conn: &mut PgConnection, edition: EditionId, person: PersonId) -> sqlx::Result<()> {
    sqlx::query("insert into obligations (edition_id, person_id) values ($1, $2) on conflict do nothing")
        .bind(edition.uuid())
        .bind(person.uuid())
        .execute(conn)
        .await
        .map(drop)
}

pub(crate) async fn excuse(
    conn: &mut PgConnection,
    edition: EditionId,
    person: PersonId,
) -> sqlx::Result<()> {
    sqlx::query("delete from obligations where edition_id = $1 and person_id = $2")
        .bind(edition.uuid())
        .bind(person.uuid())
        .execute(conn)
        .await
        .map(drop)
}
