//! Dates of birth, sealed, and only as long as a rule needs them.

use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

/// Whether a released age rule of an edition that takes applications, or will, needs dates of birth.
///
/// # Errors
/// If the database fails.
pub async fn needed(executor: impl PgExecutor<'_>) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from editions where age_released and phase in ('draft', 'open'))",
    )
    .fetch_one(executor)
    .await
}

/// Those of some people, sealed.
///
/// # Errors
/// If the database fails.
pub async fn kept_of(conn: &mut PgConnection, people: &[Uuid]) -> sqlx::Result<Vec<(Uuid, Vec<u8>)>> {
    sqlx::query_as("select person_id, sealed from birth_dates where person_id = any ($1)")
        .bind(people)
        .fetch_all(conn)
        .await
}

/// Keeps those of many people, in parallel.
///
/// # Errors
/// If the database fails.
pub async fn keep_each(conn: &mut PgConnection, people: &[Uuid], sealed: &[Vec<u8>]) -> sqlx::Result<()> {
    if people.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into birth_dates (person_id, sealed)
         select * from unnest($1::uuid[], $2::bytea[])
         on conflict (person_id) do update set sealed = excluded.sealed",
    )
    .bind(people)
    .bind(sealed)
    .execute(conn)
    .await
    .map(drop)
}

/// Deletes those of some people.
///
/// # Errors
/// If the database fails.
pub async fn forget(conn: &mut PgConnection, people: &[Uuid]) -> sqlx::Result<()> {
    if people.is_empty() {
        return Ok(());
    }
    sqlx::query("delete from birth_dates where person_id = any ($1)")
        .bind(people)
        .execute(conn)
        .await
        .map(drop)
}

/// Deletes all of them if no rule needs them any more.
///
/// # Errors
/// If the database fails.
pub async fn drop_unless_needed(conn: &mut PgConnection) -> sqlx::Result<()> {
    if !needed(&mut *conn).await? {
        sqlx::query("delete from birth_dates").execute(conn).await?;
    }
    Ok(())
}
