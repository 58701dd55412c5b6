//! Tandems, as the matching service says: which ones meet, and who was offered to whom.

use identity::{EditionId, PersonId, TandemId};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

/// Notes that a tandem of an edition meets.
///
/// # Errors
/// If the database fails.
pub async fn begin(conn: &mut PgConnection, tandem: TandemId, edition: EditionId) -> sqlx::Result<()> {
    sqlx::query("insert into live_tandems (tandem_id, edition_id) values ($1, $2)")
        .bind(tandem.uuid())
        .bind(edition.uuid())
        .execute(conn)
        .await
        .map(drop)
}

/// Notes that a tandem has ended, if it ever met.
///
/// # Errors
/// If the database fails.
pub async fn end(conn: &mut PgConnection, tandem: TandemId) -> sqlx::Result<()> {
    let query = sqlx::query("delete from live_tandems where tandem_id = $1");
    query.bind(tandem.uuid()).execute(conn).await.map(drop)
}

/// How many tandems of an edition meet.
///
/// # Errors
/// If the database fails.
pub async fn live(executor: impl PgExecutor<'_>, edition: EditionId) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from live_tandems where edition_id = $1")
        .bind(edition.uuid())
        .fetch_one(executor)
        .await
}

/// Notes that two people are offered to each other.
///
/// # Errors
/// If the database fails.
pub async fn introduce(
    conn: &mut PgConnection,
    tandem: TandemId,
    mentor: PersonId,
    mentee: PersonId,
) -> sqlx::Result<()> {
    sqlx::query("insert into partners (tandem_id, mentor_person_id, mentee_person_id) values ($1, $2, $3)")
        .bind(tandem.uuid())
        .bind(mentor.uuid())
        .bind(mentee.uuid())
        .execute(conn)
        .await
        .map(drop)
}

/// Everybody who was ever offered to a person, and the person.
///
/// # Errors
/// If the database fails.
pub async fn acquainted(executor: impl PgExecutor<'_>, person: PersonId) -> sqlx::Result<Vec<PersonId>> {
    let others: Vec<Uuid> = sqlx::query_scalar(
        "select mentee_person_id from partners where mentor_person_id = $1
         union
         select mentor_person_id from partners where mentee_person_id = $1
         union
         select $1",
    )
    .bind(person.uuid())
    .fetch_all(executor)
    .await?;
    Ok(others.into_iter().map(PersonId::from_uuid).collect())
}
