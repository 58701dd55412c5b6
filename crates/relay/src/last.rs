//! What the broker had last, and whether the log still says the same.

use async_nats::HeaderMap;
use async_nats::header::NATS_MESSAGE_ID;
use eventlog::Recorded;
use sqlx::PgPool;

use crate::message::{ID, TIME};

/// The last message of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Last {
    /// The position of its event.
    pub(crate) position: i64,
    id: String,
    time: String,
}

/// The log is not the one that was relayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Parted {
    #[error(
        "the broker has an event at position {0} that the log has not: was the database restored to an earlier time? \
         Relay into a new stream, or purge this one"
    )]
    Ends(i64),
    #[error(
        "the broker has another event at position {0} than the log: was the database restored to an earlier time? \
         Relay into a new stream, or purge this one"
    )]
    Differs(i64),
}

impl Last {
    /// Reads the headers of a message; none if it is none of ours.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let header = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        let position = header(NATS_MESSAGE_ID.as_ref())?.parse().ok()?;
        Some(Self { position, id: header(ID)?, time: header(TIME)? })
    }

    /// Looks the event up in the log and in its archive.
    ///
    /// A log that was restored to an earlier time gives its positions out again: whatever it records at those that the broker
    /// has had would be passed over.
    pub(crate) async fn find(&self, pool: &PgPool) -> Result<Result<(), Parted>, eventlog::Error> {
        let at = self.position;
        let found = eventlog::read(pool, at - 1, Some(at), 1).await?;
        Ok(match found.first() {
            None => Err(Parted::Ends(at)),
            Some(event) if self.is(event) => Ok(()),
            Some(_) => Err(Parted::Differs(at)),
        })
    }

    /// An id says which event of which stream it is, and so the same of two that were recorded in its place.
    fn is(&self, event: &Recorded) -> bool {
        self.id == event.event_id.to_string() && self.time == event.recorded_at.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use boot::database::Database;
    use boot::scratch::{self, Scratch};
    use eventlog::{Append, Appender, BoxError, Draft, Meta, StreamId, Wake};
    use jiff::{Timestamp, ToSpan};
    use sqlx::Executor;
    use uuid::Uuid;

    use super::*;
    use crate::message::{message, subject};

    #[derive(Clone, PartialEq, prost::Message)]
    struct Happened {}

    impl prost::Name for Happened {
        const NAME: &'static str = "Happened";
        const PACKAGE: &'static str = "updraft.tests.v1";
    }

    async fn log() -> Scratch {
        let fill = async |database: &Database| -> Result<(), BoxError> {
            Ok(eventlog::migrate(&database.pool("eventlog")).await?)
        };
        scratch::database("relay", fill).await.unwrap()
    }

    fn happenings() -> StreamId {
        StreamId { kind: "happening".to_owned(), id: Uuid::from_u128(1) }
    }

    /// Records so many events of one stream behind what is there, so many seconds after the beginning of time.
    async fn append(log: &Scratch, version: i64, events: usize, seconds: i64) -> Vec<Recorded> {
        let append = Append {
            stream: happenings(),
            version,
            drafts: vec![Draft::of(&Happened {}); events],
            meta: Meta::default(),
            now: Timestamp::UNIX_EPOCH + seconds.seconds(),
            idempotency: None,
        };
        let appender = Appender::start(&log.pool("sessions"), &Wake::default(), &());
        appender.append(append).await.unwrap().recorded().to_vec()
    }

    /// What the broker tells of an event that it was sent.
    fn sent(event: &Recorded) -> Last {
        let message = message(event, 0).outbound_message(subject(event));
        Last::of(&message.headers.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn an_event_that_the_broker_had_last_is_found_in_the_log_and_in_its_archive() {
        let log = log().await;
        let events = append(&log, 0, 3, 0).await;
        let folder = std::env::temp_dir().join(format!("updraft-last-{}", std::process::id()));
        for archived in [false, true] {
            if archived {
                let streams = BTreeSet::from([happenings()]);
                let moved =
                    eventlog::archive(&log.pool("eventlog"), &folder, "last", &streams).await.unwrap();
                assert_eq!(moved.events, 2);
            }
            for event in &events {
                sent(event).find(&log.pool("feed")).await.unwrap().unwrap();
            }
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_log_restored_to_an_earlier_time_is_not_taken_for_the_one_that_was_relayed() {
        let log = log().await;
        let last = sent(append(&log, 0, 3, 0).await.last().unwrap());
        let restored = "delete from eventlog.events where position > 1; select setval('eventlog.events_position_seq', 1)";
        log.pool("eventlog").execute(restored).await.unwrap();
        let found = last.find(&log.pool("feed")).await.unwrap();
        assert!(matches!(found, Err(Parted::Ends(3))), "{found:?}");

        // The same places in the same stream, and so the same ids.
        assert_eq!(append(&log, 1, 2, 60).await[1].event_id.to_string(), last.id);
        let found = last.find(&log.pool("feed")).await.unwrap();
        assert!(matches!(found, Err(Parted::Differs(3))), "{found:?}");
    }
}
