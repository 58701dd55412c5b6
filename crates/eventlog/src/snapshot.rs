//! Snapshots: the state of a long stream, kept so that a command need not fold all of its events.
//!
//! A snapshot is written in the background by whoever has just folded many events, and is used only if the log still holds the
//! event it was taken at. To lose one costs time and nothing else.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use uuid::Uuid;

use crate::stream::Loaded;
use crate::{Aggregate, BoxError, Error};

/// How the state of an aggregate is kept.
pub struct Snapshots<S> {
    /// Grows whenever the state, or what an event does to it, changes; snapshots of others are not used.
    pub(crate) schema_version: i16,
    /// After how many events a new one is worth its while.
    pub(crate) every: usize,
    save: fn(&S) -> Result<Vec<u8>, BoxError>,
    restore: fn(&[u8]) -> Result<S, BoxError>,
}

impl<S: Serialize + DeserializeOwned> Snapshots<S> {
    /// Snapshots as JSON in this schema version, each after so many events.
    #[must_use]
    pub const fn json(schema_version: i16, every: usize) -> Self {
        Self {
            schema_version,
            every,
            save: |state| Ok(serde_json::to_vec(state)?),
            restore: |bytes| Ok(serde_json::from_slice(bytes)?),
        }
    }
}

impl<S> fmt::Debug for Snapshots<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Snapshots in schema version {} every {} events", self.schema_version, self.every)
    }
}

/// A snapshot as it is kept.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) version: i64,
    pub(crate) position: i64,
    pub(crate) state: Vec<u8>,
}

impl Snapshot {
    /// The state that was kept; none if it cannot be read, which is no reason to fail.
    pub(crate) fn restore<A: Aggregate>(&self) -> Option<A::State> {
        let snapshots = A::SNAPSHOTS?;
        let restored = (snapshots.restore)(&self.state);
        restored.inspect_err(|error| tracing::debug!(error, kind = A::KIND, "a snapshot cannot be read")).ok()
    }
}

/// Keeps a state that took many events, in the background; a failure is left alone.
pub(crate) fn keep<A: Aggregate>(pool: &PgPool, id: Uuid, loaded: &Loaded<A::State>) {
    let Some(snapshots) = A::SNAPSHOTS.filter(|snapshots| loaded.folded >= snapshots.every) else { return };
    let Ok(state) = (snapshots.save)(&loaded.state) else { return };
    let (pool, kind, schema_version) = (pool.clone(), A::KIND, snapshots.schema_version);
    let snapshot = Snapshot { version: loaded.version, position: loaded.position, state };
    tokio::spawn(async move {
        if let Err(error) = store(&pool, kind, id, schema_version, snapshot).await {
            tracing::debug!(%error, kind, "a snapshot was not kept");
        }
    });
}

/// Of two that are written at the same time the later one stays.
async fn store(
    pool: &PgPool,
    kind: &str,
    id: Uuid,
    schema_version: i16,
    snapshot: Snapshot,
) -> Result<(), Error> {
    sqlx::query(
        "insert into eventlog.snapshots as kept (stream_kind, stream_id, schema_version, version, position, state)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (stream_id, stream_kind, schema_version) do update
         set version = excluded.version, position = excluded.position, state = excluded.state
         where kept.version <= excluded.version",
    )
    .bind(kind)
    .bind(id)
    .bind(schema_version)
    .bind(snapshot.version)
    .bind(snapshot.position)
    .bind(snapshot.state)
    .execute(pool)
    .await?;
    Ok(())
}
