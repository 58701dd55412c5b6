//! Receipts by idempotency key: a repeated command gets the first answer.

use sqlx::{FromRow, PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{BeginError, Error, Idempotency, Receipt};

/// The most receipts that are forgotten at once.
const SWEPT_MAX: i64 = 10_000;

/// What is kept under a key, in the columns of an event (`load.sql`).
#[derive(Debug, FromRow)]
pub(crate) struct Kept {
    #[sqlx(rename = "payload")]
    fingerprint: Vec<u8>,
    #[sqlx(rename = "stream_id")]
    id: Uuid,
    version: i64,
    position: i64,
}

impl Kept {
    /// The answer to a command under the same key, if it is the same command.
    pub(crate) fn answer(&self, repeated: &Idempotency) -> Result<Receipt, BeginError> {
        let Self { fingerprint, id, version, position } = self;
        if *fingerprint != repeated.fingerprint {
            return Err(BeginError::KeyReused);
        }
        Ok(Receipt { id: *id, version: *version, position: *position })
    }
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

    let kept: Option<Kept> = sqlx::query_as(
        "select fingerprint as payload, id as stream_id, version, position from eventlog.kept where scope = $1 and key = $2",
    )
    .bind(&idempotency.scope)
    .bind(&idempotency.key)
    .fetch_optional(conn)
    .await?;
    kept.map(|kept| kept.answer(idempotency)).transpose()
}

/// Stores the receipt of a transaction under its key; `append.sql` does it for a command on one stream.
pub(crate) async fn store(
    conn: &mut PgConnection,
    Idempotency { scope, key, fingerprint }: &Idempotency,
    receipt: &Receipt,
) -> Result<(), Error> {
    sqlx::query(
        "insert into eventlog.idempotency (scope, key, fingerprint, id, version, position)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(scope)
    .bind(key)
    .bind(fingerprint)
    .bind(receipt.id)
    .bind(receipt.version)
    .bind(receipt.position)
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets receipts that are older than a day, and tells whether there may be more of them.
///
/// Rows that somebody else is forgetting are left to them.
pub(crate) async fn sweep(executor: impl PgExecutor<'_>) -> Result<bool, Error> {
    let swept = sqlx::query(
        "with expired as (
             select scope, key from eventlog.idempotency
             where created_at < now() - interval '24 hours'
             order by created_at
             limit $1
             for update skip locked
         )
         delete from eventlog.idempotency using expired
         where idempotency.scope = expired.scope and idempotency.key = expired.key",
    )
    .bind(SWEPT_MAX)
    .execute(executor)
    .await?;
    Ok(swept.rows_affected() >= SWEPT_MAX.unsigned_abs())
}
