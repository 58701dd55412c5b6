//! The inputs of runs as they were, with the verdict on every pair.

use sqlx::{PgConnection, PgExecutor};

/// How many rows go into one statement: some megabytes.
const ROWS_AT_ONCE: usize = 1_000;

/// Keeps inputs and the verdicts on their pairs, a row per mentee; those that are kept already stay.
///
/// # Errors
/// If the database fails.
pub async fn keep(
    conn: &mut PgConnection,
    digest: &str,
    bytes: &[u8],
    mut row: impl FnMut(usize) -> Vec<u8>,
    mentees: usize,
) -> sqlx::Result<()> {
    let kept = sqlx::query(
        "insert into frozen_inputs (inputs_digest, bytes) values ($1, $2) on conflict do nothing",
    )
    .bind(digest)
    .bind(bytes)
    .execute(&mut *conn)
    .await?;
    if kept.rows_affected() == 0 {
        return Ok(());
    }
    let mut next = 0;
    while next < mentees {
        let end = mentees.min(next + ROWS_AT_ONCE);
        let numbers: Vec<i32> = (next..end).filter_map(|number| i32::try_from(number).ok()).collect();
        let rows: Vec<Vec<u8>> = (next..end).map(&mut row).collect();
        sqlx::query(
            "insert into verdicts (inputs_digest, mentee_number, pairs)
             select $1, * from unnest($2::integer[], $3::bytea[])",
        )
        .bind(digest)
        .bind(numbers)
        .bind(rows)
        .execute(&mut *conn)
        .await?;
        next = end;
    }
    Ok(())
}

/// The bytes of inputs, if they are kept.
///
/// # Errors
/// If the database fails.
pub async fn inputs(executor: impl PgExecutor<'_>, digest: &str) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar("select bytes from frozen_inputs where inputs_digest = $1")
        .bind(digest)
        .fetch_optional(executor)
        .await
}

/// The verdicts on the pairs of inputs, in the order of the mentees.
///
/// # Errors
/// If the database fails.
pub async fn verdicts(executor: impl PgExecutor<'_>, digest: &str) -> sqlx::Result<Vec<Vec<u8>>> {
    sqlx::query_scalar("select pairs from verdicts where inputs_digest = $1 order by mentee_number")
        .bind(digest)
        .fetch_all(executor)
        .await
}
