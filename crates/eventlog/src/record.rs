//! Events: as drafted by a codec, and as recorded in the log.

use jiff::Timestamp;
use prost::{Message, Name};
use proto::upcast::{Upcast, schema_version, upcast};
use sqlx::postgres::PgRow;
use sqlx::{ColumnIndex, FromRow, Row};
use uuid::Uuid;

use crate::BoxError;

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
        // What could not be brought up to date when it was read from the log may not be taken for what it is now.
        upcast(&self.name, self.schema_version, &self.payload).map_err(|error| Corrupt::new(self, error))?;
        M::decode(self.payload.as_slice()).map_err(|error| Corrupt::new(self, error))
    }

    /// The event in the schema version that this program writes.
    ///
    /// One that cannot be brought there stays as it is: it stops those who [read](Self::read) it, and nobody else.
    #[must_use]
    pub fn upcast(self) -> Self {
        match upcast(&self.name, self.schema_version, &self.payload) {
            Ok(Some(Upcast { name, schema_version, payload })) => {
                Self { name, schema_version, payload, ..self }
            }
            Ok(None) | Err(_) => self,
        }
    }

    /// The event of a row, in the schema version in which it was written.
    ///
    /// Its columns are those of the table, in their order, wherever in the row they begin: looking each of them up by its name
    /// would take as long as all the rest.
    pub(crate) fn as_written(row: &PgRow) -> sqlx::Result<Self> {
        let first = "position".index(row)?;
        Ok(Self {
            position: row.try_get(first)?,
            stream: StreamId { kind: row.try_get(first + 1)?, id: row.try_get(first + 2)? },
            version: row.try_get(first + 3)?,
            event_id: row.try_get(first + 4)?,
            name: row.try_get(first + 5)?,
            schema_version: row.try_get(first + 6)?,
            payload: row.try_get(first + 7)?,
            meta: Meta { actor: row.try_get(first + 8)?, traceparent: row.try_get(first + 9)? },
            recorded_at: row.try_get::<jiff_sqlx::Timestamp, _>(first + 10)?.to_jiff(),
        })
    }
}

impl FromRow<'_, PgRow> for Recorded {
    /// As this program writes it: every way to read the log leads through here or through a segment.
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Self::as_written(row).map(Self::upcast)
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
    /// Drafts a message in its current schema version.
    #[must_use]
    pub fn of<M: Message + Name>(message: &M) -> Self {
        let name = M::full_name();
        Self { schema_version: schema_version(&name), name, payload: message.encode_to_vec() }
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

    #[test]
    fn an_event_of_a_newer_program_stays_as_it_is_and_is_not_read() {
        let newer = Recorded { schema_version: 2, ..Draft::of(&Counted { number: 7 }).rehearsed() };
        assert_eq!(newer.clone().upcast(), newer);
        let refused = newer.read::<Counted>().unwrap_err();
        assert!(refused.source.to_string().contains("this program knows 1 at most"), "{}", refused.source);
    }
}
