//! Delivery: what reaches a follower, when, and how often.

use std::time::{Duration, Instant};

use eventlog::{Begun, BoxError, Feed, Follower, Journal, Recorded};
use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;

use crate::counter::{Add, Added, Counter, Echo, Noting, Totals, context, note, stream};
use crate::support::Database;

const SOON: Duration = Duration::from_secs(5);

pub(crate) fn feed(database: &Database) -> (Feed, Journal<Totals>) {
    let feed = Feed::start(database.pool.clone(), CancellationToken::new());
    let journal = Journal::new(database.pool.clone(), feed.wake(), Totals);
    (feed, journal)
}

pub(crate) async fn seen(pool: &PgPool, follower: &str) -> Vec<i64> {
    sqlx::query_scalar("select position from matching.seen where follower = $1 order by n")
        .bind(follower)
        .fetch_all(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_follower_gets_what_was_there_before_it_and_what_comes_later() {
    let database = Database::create().await;
    let (feed, journal) = feed(&database);
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1; 2500])).await.unwrap();
    feed.follow(database.pool.clone(), Noting("noting"));
    let receipt = journal.execute::<Counter>(&context(), stream(2), Add(vec![1])).await.unwrap();
    feed.passed("noting", receipt.position, SOON).await.unwrap();
    assert_eq!(seen(&database.pool, "noting").await, (1..=2501).collect::<Vec<_>>());
    feed.drain().await;
}

#[tokio::test]
async fn a_follower_wakes_long_before_the_next_poll_also_in_another_process() {
    const ROUNDS: u32 = 20;
    let database = Database::create().await;
    let (here, journal) = feed(&database);
    let (elsewhere, _) = feed(&database);
    here.follow(database.pool.clone(), Noting("here"));
    elsewhere.follow(database.pool.clone(), Noting("elsewhere"));
    tokio::join!(async { here.settle().await.unwrap() }, async { elsewhere.settle().await.unwrap() });
    // The listener of the other process has a connection of its own to make.
    tokio::time::sleep(Duration::from_millis(100)).await;

    let begun = Instant::now();
    for _ in 0..ROUNDS {
        let receipt = journal.execute::<Counter>(&context(), stream(1), Add(vec![1])).await.unwrap();
        here.passed("here", receipt.position, SOON).await.unwrap();
        elsewhere.passed("elsewhere", receipt.position, SOON).await.unwrap();
    }
    let each = begun.elapsed() / ROUNDS;
    assert!(each < Duration::from_millis(120), "{each:?} for a round, with a poll every 250 ms");
}

#[tokio::test]
async fn an_append_left_open_delays_what_comes_after_it_but_loses_nothing() {
    let database = Database::create().await;
    let (feed, journal) = feed(&database);
    feed.follow(database.pool.clone(), Noting("noting"));
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1])).await.unwrap();
    feed.settle().await.unwrap();

    let Begun::Work(mut open) = journal.begin(&context()).await.unwrap() else { panic!("no key, no replay") };
    let left_open = open.unit().execute::<Counter>(stream(2), Add(vec![1])).await.unwrap();
    let Begun::Work(mut given_up) = journal.begin(&context()).await.unwrap() else {
        panic!("no key, no replay")
    };
    given_up.unit().execute::<Counter>(stream(3), Add(vec![1])).await.unwrap();
    let later = journal.execute::<Counter>(&context(), stream(4), Add(vec![1])).await.unwrap();
    assert!(left_open.position < later.position);

    let behind = feed.passed("noting", later.position, Duration::from_millis(400)).await.unwrap_err();
    assert_eq!((behind.wanted, behind.stands_at), (later.position, 1));
    open.commit(left_open).await.unwrap();
    drop(given_up);
    feed.passed("noting", later.position, SOON).await.unwrap();
    assert_eq!(seen(&database.pool, "noting").await, [1, left_open.position, later.position]);
    feed.settle().await.unwrap();
}

#[tokio::test]
async fn a_feed_that_starts_beside_an_open_append_waits_for_it() {
    let database = Database::create().await;
    let (first, journal) = feed(&database);
    let Begun::Work(mut open) = journal.begin(&context()).await.unwrap() else { panic!("no key, no replay") };
    let left_open = open.unit().execute::<Counter>(stream(1), Add(vec![1])).await.unwrap();
    let later = journal.execute::<Counter>(&context(), stream(2), Add(vec![1])).await.unwrap();
    first.drain().await;

    let (feed, _) = feed(&database);
    feed.follow(database.pool.clone(), Noting("noting"));
    assert!(feed.passed("noting", later.position, Duration::from_millis(300)).await.is_err());
    open.commit(left_open).await.unwrap();
    feed.passed("noting", later.position, SOON).await.unwrap();
    assert_eq!(seen(&database.pool, "noting").await, [left_open.position, later.position]);
}

/// Answers each event of a counter with the same one in an echo.
struct Echoing(Journal<Totals>);

impl Follower for Echoing {
    fn name(&self) -> &'static str {
        "echoing"
    }

    async fn project(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        note(self.name(), conn, events).await
    }

    fn reacts_to(&self, event: &Recorded) -> bool {
        event.stream.kind == "counter"
    }

    async fn react(&self, conn: &mut PgConnection, event: &Recorded) -> Result<(), BoxError> {
        let amount = event.read::<Added>()?.amount;
        let mut unit = self.0.unit(conn, &context());
        unit.execute::<Echo>(event.stream.id, Add(vec![amount])).await?;
        Ok(())
    }
}

#[tokio::test]
async fn reactions_happen_once_and_are_delivered_in_turn() {
    let database = Database::create().await;
    let (feed, journal) = feed(&database);
    feed.follow(database.pool.clone(), Echoing(journal.clone()));
    feed.follow(database.pool.clone(), Noting("noting"));
    for amount in 1..=20 {
        journal.execute::<Counter>(&context(), stream(amount % 3), Add(vec![1])).await.unwrap();
    }
    let head = feed.settle().await.unwrap();
    assert_eq!(head, eventlog::head(&database.pool).await.unwrap());
    for number in 0..3 {
        let original = journal.load::<Counter>(stream(number)).await.unwrap();
        assert_eq!(journal.load::<Echo>(stream(number)).await.unwrap(), original);
    }
    assert_eq!(seen(&database.pool, "noting").await.len(), 40);
    assert_eq!(seen(&database.pool, "echoing").await, seen(&database.pool, "noting").await);
}

#[tokio::test]
async fn a_follower_that_starts_elsewhere_takes_over_and_the_first_one_stops() {
    let database = Database::create().await;
    let (first, journal) = feed(&database);
    let (second, _) = feed(&database);
    first.follow(database.pool.clone(), Noting("noting"));
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1; 10])).await.unwrap();
    first.settle().await.unwrap();

    second.follow(database.pool.clone(), Noting("noting"));
    second.settle().await.unwrap();
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1; 10])).await.unwrap();
    second.settle().await.unwrap();
    assert!(matches!(first.settle().await, Err(eventlog::Error::Stuck { follower: "noting", position: 10 })));
    assert_eq!(seen(&database.pool, "noting").await, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_follower_that_this_process_does_not_run_is_behind_at_once() {
    let database = Database::create().await;
    let (feed, _) = feed(&database);
    let behind = feed.passed("nobody", 1, SOON).await.unwrap_err();
    assert_eq!((behind.follower.as_str(), behind.stands_at), ("nobody", 0));
}
