//! One stream: wait for it, load it.

use sqlx::{FromRow, PgConnection, Row};
use uuid::Uuid;

use crate::idempotency::Kept;
use crate::page;
use crate::segment::Segment;
use crate::snapshot::Snapshot;
use crate::{Aggregate, Corrupt, Error, Idempotency, Recorded};

/// A stream folded into its state.
pub(crate) struct Loaded<S> {
    pub(crate) state: S,
    pub(crate) version: i64,
    pub(crate) position: i64,
    /// How many events it took.
    pub(crate) folded: usize,
    /// What is kept under the key of the command that it was loaded for.
    pub(crate) kept: Option<Kept>,
}

/// What the log holds of a stream.
#[derive(Default)]
struct Parts {
    kept: Option<Kept>,
    snapshot: Option<Snapshot>,
    segments: Vec<Segment>,
    events: Vec<Recorded>,
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
/// What is kept under the key of the command, if there is one, comes along in the same round trip. A second one is made only
/// for a snapshot that turns out to be unreadable.
pub(crate) async fn load<A: Aggregate>(
    conn: &mut PgConnection,
    id: Uuid,
    key: Option<&Idempotency>,
) -> Result<Loaded<A::State>, Error> {
    let wanted = A::SNAPSHOTS.map(|snapshots| snapshots.schema_version);
    let mut parts = parts(conn, A::KIND, id, key, wanted).await?;
    let mut loaded = Loaded { state: A::State::default(), version: 0, position: 0, folded: 0, kept: None };
    if let Some(snapshot) = parts.snapshot.take() {
        if let Some(state) = snapshot.restore::<A>() {
            loaded = Loaded { state, version: snapshot.version, position: snapshot.position, ..loaded };
        } else {
            parts = self::parts(conn, A::KIND, id, key, None).await?;
        }
    }
    loaded.kept = parts.kept;

    let first = parts.events.iter().map(|event| event.version).min();
    if first.is_some_and(|first| first > loaded.version + 1) {
        parts.events.extend(beginning(A::KIND, id, parts.segments).await?);
    }
    parts.events.sort_unstable_by_key(|event| event.version);
    for event in &parts.events {
        if event.version != loaded.version + 1 {
            return Err(Corrupt::new(event, "the event of its stream before it is missing").into());
        }
        A::evolve(&mut loaded.state, &A::decode(event)?);
        (loaded.version, loaded.position) = (event.version, event.position);
    }
    loaded.folded = parts.events.len();
    Ok(loaded)
}

async fn parts(
    conn: &mut PgConnection,
    kind: &str,
    id: Uuid,
    key: Option<&Idempotency>,
    snapshots: Option<i16>,
) -> Result<Parts, Error> {
    let rows = sqlx::query(include_str!("load.sql"))
        .bind(id)
        .bind(kind)
        .bind(key.map(|key| &key.scope))
        .bind(key.map(|key| &key.key))
        .bind(snapshots)
        .fetch_all(conn)
        .await?;
    let mut parts = Parts::default();
    for row in &rows {
        match row.try_get("part")? {
            "kept" => parts.kept = Some(Kept::from_row(row)?),
            "snapshot" => {
                let (version, position) = (row.try_get("version")?, row.try_get("position")?);
                parts.snapshot = Some(Snapshot { version, position, state: row.try_get("payload")? });
            }
            "segment" => parts.segments.extend(page::segment(row)?),
            _ => parts.events.push(Recorded::from_row(row)?),
        }
    }
    Ok(parts)
}

/// The events of a stream that are archived.
async fn beginning(kind: &str, id: Uuid, segments: Vec<Segment>) -> Result<Vec<Recorded>, Error> {
    let mut events = Vec::new();
    for segment in segments {
        let archived = segment.read().await?.into_iter();
        events.extend(archived.filter(|event| event.stream.id == id && event.stream.kind == kind));
    }
    Ok(events)
}
