//! Events: as drafted by a codec, and as recorded in the log.

use jiff::Timestamp;
use prost::{Message, Name};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgExecutor, Row};
use uuid::Uuid;

use crate::{BoxError, Error};

/// The stream an event belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    /// What the stream is about, e.g. `application`.
    pub kind: String,
    /// Which one of its kind.
    pub id: Uuid,
}

/// Who and what caused an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// The person on whose command it was recorded; none for the system itself.
    pub actor: Option<Uuid>,
    /// The W3C trace context of that command.
    pub traceparent: Option<String>,
}

/// An event as the log holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the one order of all events, from 1; not every number is taken.
    pub position: i64,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Its place in its stream: 1, 2, 3 and so on without a gap.
    pub version: i64,
    /// Its identity outside of this log, the same however often it is derived.
    pub event_id: Uuid,
    /// The full name of its protobuf message.
    pub name: String,
    /// Grows when the meaning of the message changes in a way that fields cannot express.
    pub schema_version: i16,
    /// The encoded message.
    pub payload: Vec<u8>,
    /// Who and what caused it.
    pub meta: Meta,
    /// The business time of the command, to the microsecond.
    pub recorded_at: Timestamp,
}

impl Recorded {
    /// Tells whether the payload is an `M`.
    #[must_use]
    pub fn is<M: Name>(&self) -> bool {
        self.name == M::full_name()
    }

    /// Decodes the payload as an `M`.
    ///
    /// # Errors
    ///
    /// [`Corrupt`] if the event is not an `M`, or its bytes are not.
    pub fn read<M: Message + Name + Default>(&self) -> Result<M, Corrupt> {
        if !self.is::<M>() {
            return Err(Corrupt::new(self, format!("read as {}", M::full_name())));
        }
        M::decode(self.payload.as_slice()).map_err(|error| Corrupt::new(self, error))
    }
}

impl FromRow<'_, PgRow> for Recorded {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            position: row.try_get("position")?,
            stream: StreamId { kind: row.try_get("stream_kind")?, id: row.try_get("stream_id")? },
            version: row.try_get("version")?,
            event_id: row.try_get("event_id")?,
            name: row.try_get("name")?,
            schema_version: row.try_get("schema_version")?,
            payload: row.try_get("payload")?,
            meta: Meta { actor: row.try_get("actor")?, traceparent: row.try_get("traceparent")? },
            recorded_at: row.try_get::<jiff_sqlx::Timestamp, _>("recorded_at")?.to_jiff(),
        })
    }
}

/// An event that is decided but not recorded yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub(crate) name: String,
    pub(crate) schema_version: i16,
    pub(crate) payload: Vec<u8>,
}

impl Draft {
    /// Drafts a message in schema version 1.
    #[must_use]
    pub fn of<M: Message + Name>(message: &M) -> Self {
        Self { name: M::full_name(), schema_version: 1, payload: message.encode_to_vec() }
    }

    /// The draft as if it were the first event of a log, for the round trips of a codec.
    #[must_use]
    pub fn rehearsed(self) -> Recorded {
        Recorded {
            position: 1,
            stream: StreamId { kind: "rehearsal".to_owned(), id: Uuid::nil() },
            version: 1,
            event_id: Uuid::nil(),
            name: self.name,
            schema_version: self.schema_version,
            payload: self.payload,
            meta: Meta::default(),
            recorded_at: Timestamp::UNIX_EPOCH,
        }
    }
}

/// A recorded event that cannot be read; it names the place, never the payload.
#[derive(Debug, thiserror::Error)]
#[error("the event {name} at position {position} cannot be read")]
pub struct Corrupt {
    /// Where it stands in the log.
    pub position: i64,
    /// Its full name.
    pub name: String,
    /// Why it cannot be read.
    pub source: BoxError,
}

impl Corrupt {
    /// An event that cannot be read for the given reason.
    #[must_use]
    pub fn new(event: &Recorded, reason: impl Into<BoxError>) -> Self {
        Self { position: event.position, name: event.name.clone(), source: reason.into() }
    }

    /// An event that does not belong into the stream that it was found in.
    #[must_use]
    pub fn unknown(event: &Recorded) -> Self {
        Self::new(event, "no event of this stream has this name")
    }
}

impl PartialEq for Corrupt {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position
            && self.name == other.name
            && self.source.to_string() == other.source.to_string()
    }
}

/// Reads up to `limit` events after a position, in order.
///
/// Without `up_to`, or with one beyond what has settled, an event that commits late can be missing: consumers follow
/// the [`Feed`](crate::Feed) instead. This is for replays and the operator, while nobody writes.
///
/// # Errors
///
/// [`Error::Database`] if the query fails.
pub async fn read(
    executor: impl PgExecutor<'_>,
    after: i64,
    up_to: Option<i64>,
    limit: i64,
) -> Result<Vec<Recorded>, Error> {
    let page = sqlx::query_as(
        "select position, stream_kind, stream_id, version, event_id, name, schema_version, payload, actor,
                traceparent, recorded_at
         from eventlog.events
         where position > $1 and position <= $2
         order by position
         limit $3",
    )
    .bind(after)
    .bind(up_to.unwrap_or(i64::MAX))
    .bind(limit)
    .fetch_all(executor)
    .await?;
    Ok(page)
}

/// The position of the last event that is visible now; 0 in an empty log.
///
/// # Errors
///
/// [`Error::Database`] if the query fails.
pub async fn head(executor: impl PgExecutor<'_>) -> Result<i64, Error> {
    let head = sqlx::query_scalar("select coalesce(max(position), 0) from eventlog.events")
        .fetch_one(executor)
        .await?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, PartialEq, Message)]
    struct Counted {
        #[prost(uint32, tag = "1")]
        number: u32,
    }

    impl Name for Counted {
        const NAME: &'static str = "Counted";
        const PACKAGE: &'static str = "updraft.tests.v1";
    }

    #[derive(Clone, PartialEq, Message)]
    struct Other {}

    impl Name for Other {
        const NAME: &'static str = "Other";
        const PACKAGE: &'static str = "updraft.tests.v1";
    }

    #[test]
    fn a_message_survives_the_round_trip() {
        let message = Counted { number: 7 };
        let event = Draft::of(&message).rehearsed();
        assert!(event.is::<Counted>());
        assert_eq!(event.read(), Ok(message));
    }

    #[test]
    fn a_message_is_not_read_as_another_one_or_from_broken_bytes() {
        let mut event = Draft::of(&Counted { number: 7 }).rehearsed();
        assert!(!event.is::<Other>());
        let refused = event.read::<Other>().unwrap_err();
        assert_eq!(refused.to_string(), "the event updraft.tests.v1.Counted at position 1 cannot be read");
        event.payload = vec![0xff];
        assert!(event.read::<Counted>().is_err());
    }
}
