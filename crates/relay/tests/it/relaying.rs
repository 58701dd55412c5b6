//! What other systems get: everything, in order, once.

use eventlog::{Append, Appender, BoxError, Draft, Feed, Meta, Outcome, StreamId};
use jiff::Timestamp;
use relay::{Config, Relay};
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use boot::database::Database as Prepared;
use boot::scratch::{self, Scratch};

use crate::broker::{Broker, position_of};

#[derive(Clone, PartialEq, prost::Message)]
struct Happened {
    #[prost(int64, tag = "1")]
    number: i64,
}

impl prost::Name for Happened {
    const NAME: &'static str = "Happened";
    const PACKAGE: &'static str = "updraft.tests.v1";
}

/// A log, what appends to it, and the relay.
struct Log {
    pool: PgPool,
    appender: Appender,
    feed: Feed,
    stop: CancellationToken,
    relays: Vec<JoinHandle<()>>,
    _scratch: Scratch,
}

impl Log {
    async fn open() -> Self {
        let scratch = scratch::database("relay", fill).await.unwrap();
        let pool = scratch.pool("feed");
        let stop = CancellationToken::new();
        let feed = Feed::start(pool.clone(), stop.clone());
        let appender = Appender::start(&scratch.pool("sessions"), &feed.wake(), &());
        Self { pool, appender, feed, stop, relays: Vec::new(), _scratch: scratch }
    }

    fn relay_to(&mut self, broker: &Broker) {
        let config =
            Config { nats_url: Some(broker.url()), nats_stream: "UPDRAFT".to_owned(), ..Config::default() };
        let relay = Relay::configured(self.pool.clone(), self.feed.safe(), config).unwrap();
        self.relays.push(tokio::spawn(relay.run(self.stop.clone())));
    }

    /// Appends a stream of three events, and answers with the position of the last.
    async fn append(&self, number: u128) -> i64 {
        let append = Append {
            stream: StreamId { kind: "happening".to_owned(), id: Uuid::from_u128(number) },
            version: 0,
            drafts: (0..3).map(|number| Draft::of(&Happened { number })).collect(),
            meta: Meta::default(),
            now: Timestamp::UNIX_EPOCH,
            idempotency: None,
        };
        let Outcome::Recorded(events) = self.appender.append(append).await.unwrap() else {
            panic!("a new stream")
        };
        events.last().unwrap().position
    }

    async fn append_many(&self, numbers: std::ops::Range<u128>) -> i64 {
        let positions = numbers.map(|number| self.append(number));
        futures::future::join_all(positions).await.into_iter().max().unwrap()
    }

    async fn positions(&self) -> Vec<i64> {
        sqlx::query_scalar("select position from eventlog.events order by position")
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    async fn close(self) {
        self.stop.cancel();
        for relay in self.relays {
            relay.await.unwrap();
        }
    }
}

async fn fill(database: &Prepared) -> Result<(), BoxError> {
    Ok(eventlog::migrate(&database.pool("eventlog")).await?)
}

/// Asserts that the broker has had every event of the log up to a position, in order and once.
async fn assert_relayed(broker: &Broker, log: &Log, last: i64) {
    let relayed: Vec<i64> = broker.read_until(last).await.iter().map(position_of).collect();
    assert_eq!(relayed, log.positions().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_relayed_as_a_cloud_event_in_the_order_of_the_log() {
    let broker = Broker::start("order");
    let mut log = Log::open().await;
    log.append_many(0..20).await;
    log.relay_to(&broker);
    let last = log.append_many(20..60).await;
    assert_relayed(&broker, &log, last).await;

    let message = broker.read_until(1).await.remove(0);
    let events = eventlog::read(&log.pool, 0, None, 1).await.unwrap();
    assert_eq!(message.subject.as_str(), "updraft.events.happening.Happened");
    assert_eq!(message.payload, events[0].payload);
    let header = |name| message.headers.as_ref().unwrap().get(name).unwrap().as_str().to_owned();
    assert_eq!(header("ce-specversion"), "1.0");
    assert_eq!(header("ce-id"), events[0].event_id.to_string());
    assert_eq!(header("ce-type"), "updraft.tests.v1.Happened");
    assert_eq!(header("ce-subject"), format!("happening/{}", events[0].stream.id));
    log.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_dies_in_the_middle_has_everything_once_when_it_is_back() {
    let mut broker = Broker::start("dies");
    let mut log = Log::open().await;
    log.relay_to(&broker);
    for round in 0..3_u128 {
        let appending = log.append_many(round * 400..(round + 1) * 400);
        let dying = async {
            // Somewhere between the first and the last of the round.
            while log.positions().await.len() < usize::try_from(round).unwrap() * 1200 + 200 {}
            broker.kill();
            broker.restart();
        };
        let (last, ()) = tokio::join!(appending, dying);
        assert_relayed(&broker, &log, last).await;
    }
    log.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_broker_lost_from_its_disk_is_relayed_again() {
    let mut broker = Broker::start("loses");
    let mut log = Log::open().await;
    log.relay_to(&broker);
    let before = log.append_many(0..20).await;
    broker.read_until(before).await;
    broker.kill();
    let copy = broker.copy_files();
    broker.restart();
    let after = log.append_many(20..40).await;
    broker.read_until(after).await;
    broker.kill();
    broker.put_back(&copy);
    broker.restart();
    // Nothing new is appended: the relay finds out by itself.
    assert_relayed(&broker, &log, after).await;
    log.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_relays_into_one_stream_send_everything_once() {
    let broker = Broker::start("two");
    let mut log = Log::open().await;
    log.relay_to(&broker);
    log.relay_to(&broker);
    let last = log.append_many(0..200).await;
    assert_relayed(&broker, &log, last).await;
    log.close().await;
}

#[tokio::test]
async fn without_a_broker_there_is_no_relay() {
    let log = Log::open().await;
    assert!(Relay::configured(log.pool.clone(), log.feed.safe(), Config::default()).is_none());
    log.close().await;
}
