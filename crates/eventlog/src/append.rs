//! The append: one statement for the events of many callers.

use std::collections::{HashMap, HashSet};
use std::iter::zip;

use jiff::{Timestamp, Unit};
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Draft, Error, Idempotency, Meta, Recorded, StreamId};

/// Events for one stream, to be recorded all or none.
#[derive(Clone, Debug)]
pub struct Append {
    /// The stream.
    pub stream: StreamId,
    /// The version at which the stream stands; 0 for a new one.
    pub version: i64,
    /// What happened, in order.
    pub drafts: Vec<Draft>,
    /// Who and what caused it.
    pub meta: Meta,
    /// The business time.
    pub now: Timestamp,
    /// The key under which the receipt is kept.
    pub idempotency: Option<Idempotency>,
}

/// What became of an [`Append`]; only [`Outcome::Recorded`] has left something behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The events as they are recorded now.
    Recorded(Vec<Recorded>),
    /// The stream does not stand at the version, or a transaction is about to change it.
    Contended,
    /// Something is kept under the idempotency key already.
    KeyTaken,
}

impl Outcome {
    /// What was recorded.
    #[must_use]
    pub fn recorded(&self) -> &[Recorded] {
        match self {
            Self::Recorded(events) => events,
            Self::Contended | Self::KeyTaken => &[],
        }
    }
}

impl Append {
    fn version_after(&self) -> i64 {
        zip(self.version + 1.., &self.drafts).last().map_or(self.version, |(version, _)| version)
    }

    /// As the database rounds it: a view must see the same time now as in a replay.
    fn recorded_at(&self) -> Timestamp {
        self.now.round(Unit::Microsecond).unwrap_or(self.now)
    }

    /// The drafts as recorded at the positions of their events.
    fn recorded(self, positions: &HashMap<Uuid, i64>) -> sqlx::Result<Vec<Recorded>> {
        let recorded_at = self.recorded_at();
        let numbered = zip(self.version + 1.., self.drafts);
        numbered
            .map(|(version, draft)| {
                let event_id = event_id(&self.stream, version);
                Ok(Recorded {
                    position: *positions.get(&event_id).ok_or(sqlx::Error::RowNotFound)?,
                    version,
                    event_id,
                    stream: self.stream.clone(),
                    name: draft.name,
                    schema_version: draft.schema_version,
                    payload: draft.payload,
                    meta: self.meta.clone(),
                    recorded_at,
                })
            })
            .collect()
    }
}

/// What the statement says: the callers whose streams stand at their versions, of these whose keys were free, and the events
/// with their positions.
type Answer = (Vec<i64>, Vec<i64>, Vec<Uuid>, Vec<i64>);

/// Appends for many callers and says for each what became of it; no two of them name the same stream or key.
///
/// One statement, and nothing else in it: a lock that other appends wait for, which a NOTIFY takes too, would make the
/// commits queue up one by one.
pub(crate) async fn append(conn: &mut PgConnection, appends: Vec<Append>) -> Result<Vec<Outcome>, Error> {
    match <[Append; 1]>::try_from(appends) {
        Ok([append]) if append.idempotency.is_none() && append.drafts.len() == 1 => {
            Ok(vec![append_one(conn, append).await?])
        }
        Ok(append) => append_many(conn, append.into()).await,
        Err(appends) => append_many(conn, appends).await,
    }
}

/// Appends one event without a key: most of what a statement for many costs is to unfold and to join what they have handed in.
async fn append_one(conn: &mut PgConnection, append: Append) -> Result<Outcome, Error> {
    let Some(draft) = append.drafts.first() else { return Ok(Outcome::Recorded(Vec::new())) };
    let event_id = event_id(&append.stream, append.version + 1);
    let position: Option<i64> = sqlx::query_scalar(include_str!("append_one.sql"))
        .bind(&append.stream.kind)
        .bind(append.stream.id)
        .bind(append.version)
        .bind(event_id)
        .bind(&draft.name)
        .bind(draft.schema_version)
        .bind(&draft.payload)
        .bind(append.meta.actor)
        .bind(&append.meta.traceparent)
        .bind(append.recorded_at().to_sqlx())
        .fetch_optional(conn)
        .await?;
    let Some(position) = position else { return Ok(Outcome::Contended) };
    Ok(Outcome::Recorded(append.recorded(&HashMap::from([(event_id, position)]))?))
}

async fn append_many(conn: &mut PgConnection, appends: Vec<Append>) -> Result<Vec<Outcome>, Error> {
    let drafts = || {
        zip(1_i64.., &appends).flat_map(|(n, append)| {
            zip(append.version + 1.., &append.drafts).map(move |(version, draft)| (n, append, version, draft))
        })
    };
    let keys = || appends.iter().map(|append| append.idempotency.as_ref());
    let (ready, accepted, events, positions): Answer = sqlx::query_as(include_str!("append.sql"))
        .bind(appends.iter().map(|append| append.stream.kind.as_str()).collect::<Vec<_>>())
        .bind(appends.iter().map(|append| append.stream.id).collect::<Vec<_>>())
        .bind(appends.iter().map(|append| append.version).collect::<Vec<_>>())
        .bind(appends.iter().map(Append::version_after).collect::<Vec<_>>())
        .bind(appends.iter().map(|append| append.meta.actor).collect::<Vec<_>>())
        .bind(appends.iter().map(|append| append.meta.traceparent.as_deref()).collect::<Vec<_>>())
        .bind(appends.iter().map(|append| append.recorded_at().to_sqlx()).collect::<Vec<_>>())
        .bind(keys().map(|key| key.map(|key| key.scope.as_str())).collect::<Vec<_>>())
        .bind(keys().map(|key| key.map(|key| key.key.as_str())).collect::<Vec<_>>())
        .bind(keys().map(|key| key.map(|key| key.fingerprint.as_slice())).collect::<Vec<_>>())
        .bind(drafts().map(|(caller, ..)| caller).collect::<Vec<_>>())
        .bind(drafts().map(|(_, _, version, _)| version).collect::<Vec<_>>())
        .bind(drafts().map(|(_, append, version, _)| event_id(&append.stream, version)).collect::<Vec<_>>())
        .bind(drafts().map(|(.., draft)| draft.name.as_str()).collect::<Vec<_>>())
        .bind(drafts().map(|(.., draft)| draft.schema_version).collect::<Vec<_>>())
        .bind(drafts().map(|(.., draft)| draft.payload.as_slice()).collect::<Vec<_>>())
        .fetch_one(conn)
        .await?;

    let positions: HashMap<Uuid, i64> = zip(events, positions).collect();
    let (ready, accepted): (HashSet<_>, HashSet<_>) =
        (ready.into_iter().collect(), accepted.into_iter().collect());
    zip(1.., appends)
        .map(|(caller, append)| {
            if !ready.contains(&caller) {
                Ok(Outcome::Contended)
            } else if !accepted.contains(&caller) {
                Ok(Outcome::KeyTaken)
            } else {
                Ok(Outcome::Recorded(append.recorded(&positions)?))
            }
        })
        .collect()
}

/// Records the first events of many streams of a kind, in their order, in one statement that waits for nobody.
pub(crate) async fn start(
    conn: &mut PgConnection,
    kind: &str,
    streams: Vec<(Uuid, Vec<Draft>)>,
    meta: &Meta,
    now: Timestamp,
) -> Result<Vec<Recorded>, Error> {
    let appends: Vec<Append> = streams
        .into_iter()
        .map(|(id, drafts)| Append {
            stream: StreamId { kind: kind.to_owned(), id },
            version: 0,
            drafts,
            meta: meta.clone(),
            now,
            idempotency: None,
        })
        .collect();
    let Some(first) = appends.first() else { return Ok(Vec::new()) };
    let drafts = || {
        appends.iter().flat_map(|append| {
            zip(1_i64.., &append.drafts).map(move |(version, draft)| (append, version, draft))
        })
    };
    let positions: Vec<(Uuid, i64)> = sqlx::query_as(include_str!("start.sql"))
        .bind(kind)
        .bind(meta.actor)
        .bind(meta.traceparent.as_deref())
        .bind(first.recorded_at().to_sqlx())
        .bind(drafts().map(|(append, ..)| append.stream.id).collect::<Vec<_>>())
        .bind(drafts().map(|(_, version, _)| version).collect::<Vec<_>>())
        .bind(drafts().map(|(append, version, _)| event_id(&append.stream, version)).collect::<Vec<_>>())
        .bind(drafts().map(|(.., draft)| draft.name.as_str()).collect::<Vec<_>>())
        .bind(drafts().map(|(.., draft)| draft.schema_version).collect::<Vec<_>>())
        .bind(drafts().map(|(.., draft)| draft.payload.as_slice()).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    let positions: HashMap<Uuid, i64> = positions.into_iter().collect();
    let mut recorded = Vec::with_capacity(positions.len());
    for append in appends {
        recorded.extend(append.recorded(&positions)?);
    }
    Ok(recorded)
}

/// The identity of an event follows from its place in its stream, so that it needs no randomness.
fn event_id(stream: &StreamId, version: i64) -> Uuid {
    Uuid::new_v5(&stream.id, format!("{}/{version}", stream.kind).as_bytes())
}
