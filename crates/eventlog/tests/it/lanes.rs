//! Lanes: the streams of a follower shared out, each stream in order, and shared out anew.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use eventlog::{BoxError, Error, Feed, Follower, Journal, Recorded};
use sqlx::PgConnection;
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::counter::{Add, Counter, Totals, context, note, stream};
use crate::delivery::feed;
use crate::support::Database;

const SOON: Duration = Duration::from_secs(20);

/// Notes the events of several lanes, except for those of one stream as long as it is closed.
#[derive(Clone)]
struct Laned {
    lanes: u16,
    closed: Option<(Uuid, Arc<AtomicBool>)>,
    meeting: Option<Arc<Barrier>>,
}

impl Laned {
    fn with(lanes: u16) -> Self {
        Self { lanes, closed: None, meeting: None }
    }
}

impl Follower for Laned {
    fn name(&self) -> &'static str {
        "laned"
    }

    fn lanes(&self) -> u16 {
        self.lanes
    }

    async fn project(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        if let Some(meeting) = &self.meeting {
            meeting.wait().await;
        }
        if let Some((closed, open)) = &self.closed
            && !open.load(Ordering::Relaxed)
            && events.iter().any(|event| event.stream.id == *closed)
        {
            return Err("the stream is closed".into());
        }
        note(self.name(), conn, events).await
    }
}

/// Appends to ten streams, one event after another, and answers with the head.
async fn append(journal: &Journal<Totals>, rounds: u32) -> i64 {
    let mut head = 0;
    for _ in 0..rounds {
        for number in 0..10 {
            let added = journal.execute::<Counter>(&context(), stream(number), Add(vec![1])).await.unwrap();
            head = added.position;
        }
    }
    head
}

/// Asserts that each event of each stream was delivered once and in order.
async fn assert_complete(database: &Database, events: usize) {
    let seen: Vec<(Uuid, i64)> = sqlx::query_as("select stream, version from matching.seen order by n")
        .fetch_all(&database.pool)
        .await
        .unwrap();
    assert_eq!(seen.len(), events);
    let mut versions = BTreeMap::new();
    for (stream, version) in seen {
        let before = versions.insert(stream, version).unwrap_or(0);
        assert_eq!(version, before + 1, "stream {stream}");
    }
}

async fn rows(database: &Database) -> Vec<(i32, i32, i64)> {
    sqlx::query_as("select lane, lanes, position from eventlog.checkpoints order by lane")
        .fetch_all(&database.pool)
        .await
        .unwrap()
}

fn follow(database: &Database, follower: &Laned) -> Feed {
    let (feed, _) = feed(database);
    feed.follow(database.pool.clone(), follower.clone());
    feed
}

#[tokio::test]
async fn lanes_work_at_the_same_time_and_stand_where_the_last_of_them_stands() {
    let database = Database::create().await;
    let (_, journal) = feed(&database);
    for number in 0..2 {
        journal.execute::<Counter>(&context(), stream(number), Add(vec![1; 5])).await.unwrap();
    }
    // Each waits for the other inside its transaction.
    let meeting = Some(Arc::new(Barrier::new(2)));
    let feed = follow(&database, &Laned { meeting, ..Laned::with(2) });
    feed.settle().await.unwrap();
    assert_complete(&database, 10).await;
    assert_eq!(rows(&database).await, [(0, 2, 10), (1, 2, 10)]);
}

#[tokio::test]
async fn a_lane_that_is_stuck_holds_its_streams_only_and_the_follower_says_so() {
    let database = Database::create().await;
    let (_, journal) = feed(&database);
    let head = append(&journal, 3).await;
    let open = Arc::new(AtomicBool::new(false));
    let closed = Some((stream(4), Arc::clone(&open)));
    let feed = follow(&database, &Laned { closed, ..Laned::with(3) });

    assert!(matches!(feed.settle().await, Err(Error::Stuck { position: ..5, .. })));
    while rows(&database).await.iter().filter(|row| row.2 == head).count() < 2 {}
    assert_eq!(rows(&database).await, [(0, 3, head), (1, 3, 2), (2, 3, head)]);
    assert_eq!(feed.passed("laned", 5, Duration::ZERO).await.unwrap_err().stands_at, 2);

    open.store(true, Ordering::Relaxed);
    feed.passed("laned", head, SOON).await.unwrap();
    assert_complete(&database, 30).await;
}

#[tokio::test]
async fn another_number_of_lanes_begins_where_all_have_come_equally_far() {
    let database = Database::create().await;
    let (_, journal) = feed(&database);
    let head = append(&journal, 3).await;
    let open = Arc::new(AtomicBool::new(false));
    let closed = Some((stream(4), Arc::clone(&open)));
    let uneven = Laned { closed, ..Laned::with(3) };
    let feed = follow(&database, &uneven);
    feed.settle().await.unwrap_err();
    while rows(&database).await.iter().filter(|row| row.2 == head).count() < 2 {}
    feed.drain().await;

    // The old lanes are still what the streams are shared out among, as one of them is behind.
    let feed = follow(&database, &Laned { lanes: 2, ..uneven.clone() });
    feed.settle().await.unwrap_err();
    assert_eq!(rows(&database).await.len(), 3);
    open.store(true, Ordering::Relaxed);
    let head = append(&journal, 1).await;
    feed.passed("laned", head, SOON).await.unwrap();
    assert_eq!(rows(&database).await, [(0, 2, head), (1, 2, head)]);

    // A process that wants another number waits for those that lead.
    let beside = follow(&database, &Laned::with(1));
    let head = append(&journal, 1).await;
    beside.passed("laned", head, SOON).await.unwrap();
    assert_eq!(rows(&database).await.len(), 2);
    feed.drain().await;
    let head = append(&journal, 1).await;
    beside.passed("laned", head, SOON).await.unwrap();
    assert_eq!(rows(&database).await, [(0, 1, head)]);
    assert_complete(&database, 60).await;
}
