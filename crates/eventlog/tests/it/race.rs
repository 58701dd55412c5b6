//! The race that most event stores on Postgres lose: positions are taken at insert and become visible at commit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use eventlog::{
    Aggregate, Append, Appender, Begun, BoxError, Draft, Follower, Journal, Meta, Recorded, StreamId,
};
use sqlx::PgConnection;
use tokio::time::sleep;
use uuid::Uuid;

use crate::counter::{Add, Added, Counter, Echo, Totals, context, stream};
use crate::delivery::feed;
use crate::hammer::{AT_ONCE, Pace, SCATTERED, hammer};
use crate::support::Database;

const STREAMS: u64 = 10;
const RACE_TIME: Duration = Duration::from_secs(3);
const SOAK_TIME: Duration = Duration::from_mins(2);

/// Where an event stands in the log and in its stream.
type Place = (i64, Uuid, i64);

/// Remembers what it is given; that takes no statement, so it keeps up with any number of writers.
#[derive(Clone)]
struct Remembering {
    name: &'static str,
    seen: Arc<Mutex<Vec<Place>>>,
}

impl Follower for Remembering {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn project(&self, _: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        let places = events.iter().map(|event| (event.position, event.stream.id, event.version));
        self.seen.lock().unwrap().extend(places);
        Ok(())
    }
}

/// Writes as a service does; some transactions stay open for a while, some are given up.
async fn serve(journal: Journal<Totals>, writer: u64, until: Instant) {
    let mut number = writer;
    while Instant::now() < until {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let dice = number >> 33;
        let stream = stream(u128::from(dice % STREAMS));
        let amounts = vec![1; usize::try_from(dice % 3).unwrap() + 1];
        if !dice.is_multiple_of(4) {
            journal.execute::<Counter>(&context(), stream, Add(amounts)).await.unwrap();
            continue;
        }
        let Begun::Work(mut open) = journal.begin(&context()).await.unwrap() else {
            panic!("no key, no replay")
        };
        let receipt = open.unit().execute::<Counter>(stream, Add(amounts)).await.unwrap();
        sleep(Duration::from_millis(dice % 12)).await;
        if !dice.is_multiple_of(16) {
            open.commit(receipt).await.unwrap();
        }
    }
}

/// Appends to a stream of its own, in commits that it shares with the others.
async fn queue_up(appender: Appender, writer: u64, until: Instant) {
    let (mut version, stream) =
        (0, StreamId { kind: Echo::KIND.to_owned(), id: stream(u128::from(writer) << 64) });
    while Instant::now() < until {
        let drafts = vec![Draft::of(&Added { amount: 1 }); usize::try_from(version % 3).unwrap() + 1];
        let (stream, meta) = (stream.clone(), Meta::default());
        let append = Append { stream, version, drafts, meta, now: context().now, idempotency: None };
        version = appender.append(append).await.unwrap().recorded().last().unwrap().version;
    }
}

/// How many write in which way.
struct Writers {
    services: u64,
    appenders: u64,
    hammers: u64,
}

/// Lets everybody write at once, and compares what two processes were delivered with what was recorded.
async fn race(Writers { services, appenders, hammers }: Writers, pace: Pace, during: Duration) {
    let database = Database::create().await;
    let pool = database.services(u32::try_from(services + hammers).unwrap() + 12);
    let (here, _) = feed(&database);
    let (elsewhere, _) = feed(&database);
    let journal = Journal::new(pool.clone(), here.wake(), Totals);
    let appender = Appender::start(&pool, &here.wake(), &());
    let first = Remembering { name: "here", seen: Arc::default() };
    let second = Remembering { name: "elsewhere", seen: Arc::default() };
    here.follow(database.pool.clone(), first.clone());
    elsewhere.follow(database.pool.clone(), second.clone());

    let until = Instant::now() + during;
    let services = (0..services).map(|writer| tokio::spawn(serve(journal.clone(), writer, until)));
    let appenders = (1..=appenders).map(|writer| tokio::spawn(queue_up(appender.clone(), writer, until)));
    let hammers = (0..hammers).map(|writer| tokio::spawn(hammer(pool.clone(), writer, during, pace)));
    let writing: Vec<_> = services.chain(appenders).chain(hammers).collect();
    while Instant::now() < until {
        here.wake().signal();
        sleep(Duration::from_millis(1)).await;
    }
    for writer in writing {
        writer.await.unwrap();
    }
    here.settle().await.unwrap();
    elsewhere.settle().await.unwrap();

    let recorded: Vec<Place> =
        sqlx::query_as("select position, stream_id, version from eventlog.events order by position")
            .fetch_all(&database.pool)
            .await
            .unwrap();
    println!("{} events, the last of them at position {:?}", recorded.len(), recorded.last());
    assert!(recorded.len() > 500, "{} events are no race", recorded.len());
    for Remembering { name, seen } in [first, second] {
        let seen = seen.lock().unwrap();
        let delivered = (seen.len(), recorded.len());
        assert!(*seen == recorded, "{name}: delivered and recorded are {delivered:?}, or not in order");
    }

    let mut versions = HashMap::new();
    for (position, stream, version) in recorded {
        let before = versions.insert(stream, version).unwrap_or(0);
        assert_eq!(version, before + 1, "stream {stream} at position {position}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_follower_gets_every_event_once_and_in_order_while_many_write() {
    race(Writers { services: 4, appenders: 0, hammers: 12 }, SCATTERED, RACE_TIME).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_follower_gets_every_event_once_and_in_order_while_appends_share_commits() {
    race(Writers { services: 4, appenders: 8, hammers: 4 }, SCATTERED, RACE_TIME).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_follower_gets_every_event_once_when_many_writers_begin_at_the_same_moment() {
    race(Writers { services: 0, appenders: 0, hammers: 16 }, AT_ONCE, RACE_TIME).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: make soak"]
async fn every_follower_gets_every_event_once_and_in_order_while_very_many_write_for_long() {
    race(Writers { services: 16, appenders: 16, hammers: 32 }, SCATTERED, SOAK_TIME).await;
    race(Writers { services: 0, appenders: 0, hammers: 64 }, AT_ONCE, SOAK_TIME).await;
}
