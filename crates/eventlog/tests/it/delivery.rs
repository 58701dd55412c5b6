//! Delivery: what reaches a follower, when, and how often.

use std::time::{Duration, Instant};

use eventlog::{Begun, BoxError, Feed, Follower, Journal, Recorded};
use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;

use crate::counter::{Add, Added, Counter, Echo, Noting, Totals, context, note, stream};
use crate::support::Database;

const SOON: Duration = Duration::from_secs(5);

pub(crate) fn feed(database: &Database) -> (Feed, Journal<Totals>) {
    let feed = Feed::start(database.feed.clone(), CancellationToken::new());
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
async fn a_follower_that_is_far_behind_gets_everything_once_whatever_becomes_of_its_connections() {
    // Each mark is in another page than the one before, so that there are connections again.
    const EVENTS: i64 = 30_000;
    let database = Database::create().await;
    let (feed, journal) = feed(&database);
    let mut receipt = None;
    for number in 0..12 {
        receipt =
            Some(journal.execute::<Counter>(&context(), stream(number), Add(vec![1; 2500])).await.unwrap());
    }
    assert_eq!(receipt.unwrap().position, EVENTS);
    feed.follow(database.pool.clone(), Noting("noting"));
    for position in [1, EVENTS / 3, EVENTS / 2] {
        feed.passed("noting", position, SOON).await.unwrap();
        assert!(database.kill_connections().await > 0);
    }
    feed.passed("noting", EVENTS, Duration::from_secs(30)).await.unwrap();
    assert_eq!(seen(&database.pool, "noting").await, (1..=EVENTS).collect::<Vec<_>>());
    feed.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, printed: make soak"]
async fn how_soon_followers_have_what_is_appended() {
    const FOLLOWERS: [&str; 5] = ["one", "two", "three", "four", "five"];
    let database = Database::create().await;
    let (here, journal) = feed(&database);
    let (elsewhere, _) = feed(&database);
    for follower in FOLLOWERS {
        here.follow(database.services(2), Noting(follower));
    }
    elsewhere.follow(database.services(2), Noting("elsewhere"));
    let (mut delays, mut delays_elsewhere) = (Vec::new(), Vec::new());
    for number in 0..1_000 {
        let receipt =
            journal.execute::<Counter>(&context(), stream(number % 50), Add(vec![1])).await.unwrap();
        let acknowledged = Instant::now();
        let passed = FOLLOWERS.map(|follower| here.passed(follower, receipt.position, SOON));
        futures::future::try_join_all(passed).await.unwrap();
        delays.push(acknowledged.elapsed());
        elsewhere.passed("elsewhere", receipt.position, SOON).await.unwrap();
        delays_elsewhere.push(acknowledged.elapsed());
    }
    for (who, mut delays) in [("five followers", delays), ("one in another process", delays_elsewhere)] {
        delays.sort();
        println!("{who}: median {:?}, p99 {:?}, most {:?}", delays[500], delays[990], delays[999]);
    }
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

/// Answers runs of odd amounts with their sum, and even amounts one by one.
struct Summing(Journal<Totals>);

impl Follower for Summing {
    fn name(&self) -> &'static str {
        "summing"
    }

    async fn project(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        note(self.name(), conn, events).await
    }

    fn reacts_to(&self, event: &Recorded) -> bool {
        event.stream.kind == "counter"
    }

    fn is_answered_with(&self, event: &Recorded, next: &Recorded) -> bool {
        let odd = |event: &Recorded| event.read::<Added>().is_ok_and(|added| added.amount % 2 == 1);
        odd(event) && odd(next)
    }

    async fn react(&self, conn: &mut PgConnection, event: &Recorded) -> Result<(), BoxError> {
        self.react_together(conn, &[event]).await
    }

    async fn react_together(&self, conn: &mut PgConnection, events: &[&Recorded]) -> Result<(), BoxError> {
        let amounts = events.iter().map(|event| Ok(event.read::<Added>()?.amount));
        let sum = amounts.sum::<Result<i64, eventlog::Corrupt>>()?;
        let mut unit = self.0.unit(conn, &context());
        unit.execute::<Echo>(stream(1), Add(vec![sum])).await?;
        Ok(())
    }
}

#[tokio::test]
async fn what_is_answered_together_is_taken_in_first_and_answered_once() {
    let database = Database::create().await;
    let (feed, journal) = feed(&database);
    let amounts = vec![1, 3, 5, 2, 4, 7, 9];
    journal.execute::<Counter>(&context(), stream(1), Add(amounts)).await.unwrap();
    feed.follow(database.pool.clone(), Summing(journal.clone()));
    feed.settle().await.unwrap();
    let events = eventlog::read(&database.pool, 7, None, 100).await.unwrap();
    let answers: Vec<_> = events.iter().map(|event| event.read::<Added>().unwrap().amount).collect();
    assert_eq!(answers, [9, 2, 4, 16]);
    assert_eq!(seen(&database.pool, "summing").await, (1..=11).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_follower_that_this_process_does_not_run_is_behind_at_once() {
    let database = Database::create().await;
    let (feed, _) = feed(&database);
    let behind = feed.passed("nobody", 1, SOON).await.unwrap_err();
    assert_eq!((behind.follower.as_str(), behind.stands_at), ("nobody", 0));
}
