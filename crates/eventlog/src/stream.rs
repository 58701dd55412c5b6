//! One stream, or many: wait for them, load them.

use std::collections::HashMap;

use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row};
use uuid::Uuid;

use crate::idempotency::Kept;
use crate::page;
use crate::segment::Segment;
use crate::snapshot::Snapshot;
use crate::{Aggregate, Corrupt, Error, Idempotency, Recorded};

/// A stream folded into its state.
#[derive(Default)]
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

/// Waits for many streams, as [`lock`] for one; in the order of their ids, so that two who do so never wait for each other.
pub(crate) async fn lock_many(conn: &mut PgConnection, kind: &str, ids: &[Uuid]) -> Result<(), Error> {
    sqlx::query(
        "select pg_advisory_xact_lock(hashtextextended($1 || id::text, 0))
         from (select id from unnest($2::uuid[]) as wanted (id) order by id) as wanted",
    )
    .bind(kind)
    .bind(ids)
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
    let parts = parts(conn, A::KIND, id, key, wanted).await?;
    match parts.fold::<A>(id).await? {
        Some(loaded) => Ok(loaded),
        None => Ok(self::parts(conn, A::KIND, id, key, None).await?.fold::<A>(id).await?.unwrap_or_default()),
    }
}

/// Loads many streams in one round trip, as [`load`] does one.
pub(crate) async fn load_many<A: Aggregate>(
    conn: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Loaded<A::State>>, Error> {
    let rows = sqlx::query(include_str!("load_many.sql"))
        .bind(ids)
        .bind(A::KIND)
        .bind(A::SNAPSHOTS.map(|snapshots| snapshots.schema_version))
        .fetch_all(&mut *conn)
        .await?;
    let mut found: HashMap<Uuid, Parts> = HashMap::new();
    for row in &rows {
        found.entry(row.try_get("stream_id")?).or_default().take(row)?;
    }
    let mut streams = HashMap::with_capacity(ids.len());
    for id in ids {
        let folded = found.remove(id).unwrap_or_default().fold::<A>(*id).await?;
        let loaded = match folded {
            Some(loaded) => loaded,
            None => load::<A>(conn, *id, None).await?,
        };
        streams.insert(*id, loaded);
    }
    Ok(streams)
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
        parts.take(row)?;
    }
    Ok(parts)
}

impl Parts {
    fn take(&mut self, row: &PgRow) -> Result<(), Error> {
        match row.try_get("part")? {
            "kept" => self.kept = Some(Kept::from_row(row)?),
            "snapshot" => {
                let (version, position) = (row.try_get("version")?, row.try_get("position")?);
                self.snapshot = Some(Snapshot { version, position, state: row.try_get("payload")? });
            }
            "segment" => self.segments.extend(page::segment(row)?),
            _ => self.events.push(Recorded::from_row(row)?),
        }
        Ok(())
    }

    /// Folds the parts of a stream; none if its snapshot is unreadable.
    async fn fold<A: Aggregate>(mut self, id: Uuid) -> Result<Option<Loaded<A::State>>, Error> {
        let mut loaded = Loaded::default();
        if let Some(snapshot) = self.snapshot.take() {
            let Some(state) = snapshot.restore::<A>() else { return Ok(None) };
            loaded = Loaded { state, version: snapshot.version, position: snapshot.position, ..loaded };
        }
        loaded.kept = self.kept;

        let first = self.events.iter().map(|event| event.version).min();
        if first.is_some_and(|first| first > loaded.version + 1) {
            self.events.extend(beginning(A::KIND, id, self.segments).await?);
        }
        self.events.sort_unstable_by_key(|event| event.version);
        for event in &self.events {
            if event.version != loaded.version + 1 {
                return Err(Corrupt::new(event, "the event of its stream before it is missing").into());
            }
            A::evolve(&mut loaded.state, &A::decode(event)?);
            (loaded.version, loaded.position) = (event.version, event.position);
        }
        loaded.folded = self.events.len();
        Ok(Some(loaded))
    }
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
