//! One stream: wait for it, load it.

use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, Row};
use uuid::Uuid;

use crate::idempotency::Kept;
use crate::{Aggregate, Error, Idempotency, Recorded};

/// A stream folded into its state.
pub(crate) struct Loaded<S> {
    pub(crate) state: S,
    pub(crate) version: i64,
    pub(crate) position: i64,
    /// What is kept under the key of the command that it was loaded for.
    pub(crate) kept: Option<Kept>,
}

/// Waits until this transaction is the only one that may append to the stream.
///
/// The lock is of one stream and ends with the transaction: commands on other streams still commit in one group. It goes
/// before the load as a statement of its own, so that the load sees what the previous holder has committed. An append
/// without a transaction takes the same lock if it is free (`append.sql`).
pub(crate) async fn lock(conn: &mut PgConnection, kind: &str, id: Uuid) -> Result<(), Error> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1 || $2::text, 0))")
        .bind(kind)
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Folds the events of a stream into its state; a stream without events is at version 0.
///
/// What is kept under the key of the command, if there is one, comes along in the same round trip.
pub(crate) async fn load<A: Aggregate>(
    executor: impl PgExecutor<'_>,
    id: Uuid,
    key: Option<&Idempotency>,
) -> Result<Loaded<A::State>, Error> {
    let rows: Vec<PgRow> = sqlx::query(
        "select event.position, event.stream_kind, event.stream_id, event.version, event.event_id, event.name,
                event.schema_version, event.payload, event.actor, event.traceparent, event.recorded_at,
                kept.fingerprint as kept_fingerprint, kept.id as kept_id, kept.version as kept_version,
                kept.position as kept_position
         from (select) as always
         left join eventlog.kept as kept on kept.scope = $3 and kept.key = $4
         left join eventlog.events as event on event.stream_id = $1 and event.stream_kind = $2
         order by event.version",
    )
    .bind(id)
    .bind(A::KIND)
    .bind(key.map(|key| &key.scope))
    .bind(key.map(|key| &key.key))
    .fetch_all(executor)
    .await?;

    let kept = rows.first().map(Kept::from_joined).transpose()?.flatten();
    let mut loaded = Loaded { state: A::State::default(), version: 0, position: 0, kept };
    for row in &rows {
        if row.try_get::<Option<i64>, _>("position")?.is_none() {
            break;
        }
        let event = Recorded::from_row(row)?;
        A::evolve(&mut loaded.state, &A::decode(&event)?);
        loaded.version = event.version;
        loaded.position = event.position;
    }
    Ok(loaded)
}
