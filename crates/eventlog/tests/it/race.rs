//! The race that most event stores on Postgres lose: positions are taken at insert and become visible at commit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use eventlog::{Begun, BoxError, Follower, Journal, Recorded};
use sqlx::{AssertSqlSafe, Executor, PgConnection, PgPool};
use tokio::time::sleep;
use uuid::Uuid;

use crate::counter::{Add, Counter, Totals, context, stream};
use crate::delivery::feed;
use crate::support::Database;

const STREAMS: u64 = 10;
const RACE_TIME: Duration = Duration::from_secs(3);

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

/// Writes in a loop on the server, to a stream of its own; a transaction lasts `hold` and the next one follows after
/// `rest`, both in seconds as SQL.
async fn hammer(pool: PgPool, writer: u64, hold: &'static str, rest: &'static str) {
    let seconds = RACE_TIME.as_secs();
    let writing = format!(
        "do $$
         declare
             until timestamptz := clock_timestamp() + interval '{seconds} seconds';
             writer bigint := {writer};
             reached bigint := 0;
         begin
             while clock_timestamp() < until loop
                 insert into eventlog.events
                     (stream_kind, stream_id, version, event_id, name, schema_version, payload, recorded_at)
                 select 'hammer', lpad(writer::text, 32, 'f')::uuid, reached + n, gen_random_uuid(), 'Hammered', 1,
                        '', now()
                 from generate_series(1, 2) as n;
                 perform pg_sleep({hold});
                 if random() < 0.1 then
                     rollback;
                 else
                     commit;
                     reached := reached + 2;
                 end if;
                 perform pg_sleep({rest});
             end loop;
         end $$"
    );
    pool.execute(AssertSqlSafe(writing)).await.unwrap();
}

/// Lets everybody write at once, and compares what two processes were delivered with what was recorded.
async fn race(services: u64, hammers: u64, hold: &'static str, rest: &'static str) {
    let database = Database::create().await;
    let (here, journal) = feed(&database);
    let (elsewhere, _) = feed(&database);
    let first = Remembering { name: "here", seen: Arc::default() };
    let second = Remembering { name: "elsewhere", seen: Arc::default() };
    here.follow(database.pool.clone(), first.clone());
    elsewhere.follow(database.pool.clone(), second.clone());

    let until = Instant::now() + RACE_TIME;
    let services = (0..services).map(|writer| tokio::spawn(serve(journal.clone(), writer, until)));
    let hammers = (0..hammers).map(|writer| tokio::spawn(hammer(database.pool.clone(), writer, hold, rest)));
    let writers: Vec<_> = services.chain(hammers).collect();
    while Instant::now() < until {
        here.wake().signal();
        sleep(Duration::from_millis(1)).await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    here.settle().await.unwrap();
    elsewhere.settle().await.unwrap();

    let recorded: Vec<Place> =
        sqlx::query_as("select position, stream_id, version from eventlog.events order by position")
            .fetch_all(&database.pool)
            .await
            .unwrap();
    assert!(recorded.len() > 1_000, "{} events are no race", recorded.len());
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
    race(4, 12, "0.0005 * (1 + writer % 4) * random()", "0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_follower_gets_every_event_once_when_many_writers_begin_at_the_same_moment() {
    // All of them wait for the next hundredth of a second; every other one then commits at once.
    let tick = "0.01 - mod(extract(epoch from clock_timestamp()), 0.01)";
    race(0, 16, "writer % 2 * 0.002 * random()", tick).await;
}
