//! Dates of birth, sealed, and only as long as a rule needs them.

use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

/// Whether an age rule that is in force needs dates of birth: a released one, of an edition that takes applications or will, whose last
/// day is not over everywhere.
///
/// # Errors
/// If the database fails.
pub async fn needed(executor: impl PgExecutor<'_>, now: Timestamp) -> sqlx::Result<bool> {
    let latest_zone = TimeZone::fixed(offset(-12));
    sqlx::query_scalar(
        "select exists (
             select from editions where age_released and phase in ('draft', 'open') and age_expiry_date >= $1
         )",
    )
    .bind(now.to_zoned(latest_zone).date().to_sqlx())
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

/// Deletes all of them if no rule needs them any more, and in any case those of people who have left.
///
/// # Errors
/// If the database fails.
pub async fn drop_unneeded(conn: &mut PgConnection, now: Timestamp) -> sqlx::Result<()> {
    let needed = needed(&mut *conn, now).await?;
    sqlx::query(
        "delete from birth_dates
         where not $1
            or exists (select from people where people.person_id = birth_dates.person_id and last_day is not null)",
    )
    .bind(needed)
    .execute(conn)
    .await
    .map(drop)
}
