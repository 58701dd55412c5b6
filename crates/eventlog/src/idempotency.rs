//! Receipts by idempotency key: a repeated command gets the first answer.

use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::{BeginError, Error, Idempotency, Receipt};

#[derive(FromRow)]
struct Stored {
    fingerprint: Vec<u8>,
    id: Uuid,
    version: i64,
    position: i64,
}

/// Claims the key for this transaction, or finds the receipt of the command that had it before.
///
/// The claim is a lock that ends with the transaction, so a key is free again if its command failed.
pub(crate) async fn claim(
    conn: &mut PgConnection,
    idempotency: &Idempotency,
) -> Result<Option<Receipt>, BeginError> {
    let claimed: bool =
        sqlx::query_scalar("select pg_try_advisory_xact_lock(hashtextextended($1, hashtextextended($2, 1)))")
            .bind(&idempotency.key)
            .bind(&idempotency.scope)
            .fetch_one(&mut *conn)
            .await?;
    if !claimed {
        return Err(BeginError::KeyInUse);
    }

    let stored: Option<Stored> = sqlx::query_as(
        "select fingerprint, id, version, position from eventlog.idempotency where scope = $1 and key = $2",
    )
    .bind(&idempotency.scope)
    .bind(&idempotency.key)
    .fetch_optional(conn)
    .await?;
    match stored {
        Some(stored) if stored.fingerprint != idempotency.fingerprint => Err(BeginError::KeyReused),
        Some(Stored { id, version, position, .. }) => Ok(Some(Receipt { id, version, position })),
        None => Ok(None),
    }
}

/// Stores the receipt under the claimed key, and sweeps a few that are older than a day.
///
/// Each command brings one row and may take several away, so the table never outgrows a day's commands by much, and no
/// command pays for a day of them. Rows that another command is sweeping are left to it.
pub(crate) async fn store(
    conn: &mut PgConnection,
    idempotency: &Idempotency,
    receipt: &Receipt,
) -> Result<(), Error> {
    sqlx::query(
        "with expired as (
             select scope, key from eventlog.idempotency
             where created_at < now() - interval '24 hours'
             order by created_at
             limit 8
             for update skip locked
         ), swept as (
             delete from eventlog.idempotency using expired
             where idempotency.scope = expired.scope and idempotency.key = expired.key
         )
         insert into eventlog.idempotency (scope, key, fingerprint, id, version, position)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&idempotency.scope)
    .bind(&idempotency.key)
    .bind(&idempotency.fingerprint)
    .bind(receipt.id)
    .bind(receipt.version)
    .bind(receipt.position)
    .execute(conn)
    .await?;
    Ok(())
}
