//! One stream: lock it, load it, append to it.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{Aggregate, Draft, Error, Meta, Recorded, StreamId};

/// A stream folded into its state.
pub(crate) struct Loaded<S> {
    pub(crate) state: S,
    pub(crate) version: i64,
    pub(crate) position: i64,
}

/// Waits until this transaction is the only one that may append to the stream.
///
/// The lock is of one stream and ends with the transaction: commands on other streams still commit in one group.
/// It goes before the load as a statement of its own, so that the load sees what the previous holder has committed.
pub(crate) async fn lock(conn: &mut PgConnection, kind: &str, id: Uuid) -> Result<(), Error> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1 || $2::text, 0))")
        .bind(kind)
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Folds the events of a stream into its state; a stream without events is at version 0.
pub(crate) async fn load<A: Aggregate>(
    executor: impl PgExecutor<'_>,
    id: Uuid,
) -> Result<Loaded<A::State>, Error> {
    let events: Vec<Recorded> = sqlx::query_as(
        "select position, stream_kind, stream_id, version, event_id, name, schema_version, payload, actor,
                traceparent, recorded_at
         from eventlog.events
         where stream_id = $1 and stream_kind = $2
         order by version",
    )
    .bind(id)
    .bind(A::KIND)
    .fetch_all(executor)
    .await?;

    let mut loaded = Loaded { state: A::State::default(), version: 0, position: 0 };
    for event in &events {
        A::evolve(&mut loaded.state, &A::decode(event)?);
        loaded.version = event.version;
        loaded.position = event.position;
    }
    Ok(loaded)
}

/// Appends the drafts to a stream that stands at `version`, and returns them as recorded.
///
/// One statement, and nothing else in it: a lock that other appends wait for, which a NOTIFY takes too, would make
/// the commits queue up one by one.
#[tracing::instrument(name = "eventlog.append", skip_all, fields(stream.kind = stream.kind, events = drafts.len()))]
pub(crate) async fn append(
    conn: &mut PgConnection,
    stream: StreamId,
    version: i64,
    drafts: Vec<Draft>,
    actor: Option<Uuid>,
    now: Timestamp,
) -> Result<Vec<Recorded>, Error> {
    if drafts.is_empty() {
        return Ok(Vec::new());
    }
    let traceparent = telemetry::current_traceparent();
    let versions = version + 1..;
    let event_ids: Vec<Uuid> =
        versions.clone().take(drafts.len()).map(|version| event_id(&stream, version)).collect();
    let names: Vec<&str> = drafts.iter().map(|draft| draft.name.as_str()).collect();
    let schema_versions: Vec<i16> = drafts.iter().map(|draft| draft.schema_version).collect();
    let payloads: Vec<&[u8]> = drafts.iter().map(|draft| draft.payload.as_slice()).collect();

    let rows: Vec<(i64, jiff_sqlx::Timestamp)> = sqlx::query_as(
        "insert into eventlog.events
             (stream_kind, stream_id, version, event_id, name, schema_version, payload,
              actor, traceparent, recorded_at)
         select $1, $2, $3 + draft.ordinal, draft.event_id, draft.name, draft.schema_version, draft.payload,
                $8, $9, $10
         from unnest($4::uuid[], $5::text[], $6::smallint[], $7::bytea[]) with ordinality
             as draft (event_id, name, schema_version, payload, ordinal)
         order by draft.ordinal
         returning position, recorded_at",
    )
    .bind(&stream.kind)
    .bind(stream.id)
    .bind(version)
    .bind(&event_ids)
    .bind(names)
    .bind(schema_versions)
    .bind(payloads)
    .bind(actor)
    .bind(&traceparent)
    .bind(now.to_sqlx())
    .fetch_all(conn)
    .await?;

    let meta = Meta { actor, traceparent };
    let recorded = rows.into_iter().zip(versions).zip(event_ids).zip(drafts);
    Ok(recorded
        .map(|((((position, recorded_at), version), event_id), draft)| Recorded {
            position,
            stream: stream.clone(),
            version,
            event_id,
            name: draft.name,
            schema_version: draft.schema_version,
            payload: draft.payload,
            meta: meta.clone(),
            // As the database rounded it: a view must see the same now as in a replay.
            recorded_at: recorded_at.to_jiff(),
        })
        .collect())
}

/// The identity of an event follows from its place in its stream, so that it needs no randomness.
fn event_id(stream: &StreamId, version: i64) -> Uuid {
    Uuid::new_v5(&stream.id, format!("{}/{version}", stream.kind).as_bytes())
}
