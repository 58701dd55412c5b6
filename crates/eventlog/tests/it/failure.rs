//! Failure: an effect that fails, a panic, and a Postgres that goes away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use eventlog::{
    Aggregate, Append, Appender, Begun, BoxError, CommandError, Context, Draft, Error, Follower, Idempotency,
    Meta, Recorded, StreamId, Views, Wake,
};
use sqlx::PgConnection;

use crate::counter::{Add, Added, Counter, Noting, Totals, context, note, stream};
use crate::delivery::{feed, seen};
use crate::support::Database;

/// Notes events, but fails after its effect on the event at a position, by an error or by a panic, until it is healed.
#[derive(Clone)]
struct Fragile {
    at: i64,
    panics: bool,
    healed: Arc<AtomicBool>,
}

impl Follower for Fragile {
    fn name(&self) -> &'static str {
        "fragile"
    }

    async fn project(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        note(self.name(), conn, events).await?;
        let met = events.iter().any(|event| event.position == self.at);
        if met && !self.healed.load(Ordering::Relaxed) {
            assert!(!self.panics, "as the test wants it");
            return Err("not now".into());
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_failing_effect_holds_its_follower_until_it_succeeds_and_nobody_else() {
    tokio::join!(fail_and_heal(false), fail_and_heal(true));
}

async fn fail_and_heal(panics: bool) {
    let database = Database::create().await;
    let (feed, journal) = feed(&database);
    let fragile = Fragile { at: 7, panics, healed: Arc::default() };
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1; 10])).await.unwrap();
    feed.follow(database.pool.clone(), fragile.clone());
    feed.follow(database.pool.clone(), Noting("noting"));

    let stuck = feed.settle().await;
    assert!(matches!(stuck, Err(Error::Stuck { follower: "fragile", position: 6 })), "{stuck:?}");
    assert_eq!(seen(&database.pool, "fragile").await, (1..=6).collect::<Vec<_>>());
    feed.passed("noting", 10, Duration::from_secs(5)).await.unwrap();

    fragile.healed.store(true, Ordering::Relaxed);
    feed.passed("fragile", 10, Duration::from_secs(10)).await.unwrap();
    assert_eq!(feed.settle().await.unwrap(), 10);
    assert_eq!(seen(&database.pool, "fragile").await, (1..=10).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_feed_and_its_followers_go_on_when_their_connections_are_killed() {
    let database = Database::create().await;
    let (feed, journal) = feed(&database);
    feed.follow(database.pool.clone(), Noting("noting"));

    let writing = tokio::spawn(async move {
        for number in 0..200 {
            let key = Idempotency { scope: "test".to_owned(), key: number.to_string(), fingerprint: vec![] };
            let context = Context { idempotency: Some(key), ..context() };
            // A key makes it safe to repeat a command whose answer was lost.
            while let Err(error) =
                journal.execute::<Counter>(&context, stream(number % 5), Add(vec![1])).await
            {
                let repeatable = matches!(error, CommandError::Failed(_) | CommandError::KeyInUse);
                assert!(repeatable, "{error:?}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    let mut killed = 0;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        killed += database.kill_connections().await;
    }
    writing.await.unwrap();
    assert!(killed > 3);

    let head = eventlog::head(&database.pool).await.unwrap();
    feed.passed("noting", head, Duration::from_secs(10)).await.unwrap();
    let recorded: Vec<i64> = sqlx::query_scalar("select position from eventlog.events order by position")
        .fetch_all(&database.pool)
        .await
        .unwrap();
    assert_eq!(recorded.len(), 200);
    assert_eq!(seen(&database.pool, "noting").await, recorded);
}

#[tokio::test]
async fn positions_that_a_crash_gives_out_again_are_delivered() {
    let database = Database::create().await;
    let (feed, journal) = feed(&database);
    feed.follow(database.pool.clone(), Noting("noting"));
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1])).await.unwrap();
    feed.settle().await.unwrap();
    let Begun::Work(mut given_up) = journal.begin(&context()).await.unwrap() else {
        panic!("no key, no replay")
    };
    given_up.unit().execute::<Counter>(stream(1), Add(vec![1; 9])).await.unwrap();
    given_up.rollback().await;
    // Several rounds of the watermark.
    tokio::time::sleep(Duration::from_millis(600)).await;

    // As a crash does, before which no commit made the positions lasting that were given up.
    let sequence = "select setval('eventlog.events_position_seq', 1)";
    sqlx::query(sequence).execute(&database.admin).await.unwrap();
    database.kill_connections().await;
    let receipt = loop {
        if let Ok(receipt) = journal.execute::<Counter>(&context(), stream(1), Add(vec![1])).await {
            break receipt;
        }
    };
    assert_eq!(receipt.position, 2);
    feed.passed("noting", 2, Duration::from_secs(5)).await.unwrap();
    assert_eq!(seen(&database.pool, "noting").await, [1, 2]);
}

/// Totals that do not take in what is negative; counts how often it was among the events of others.
#[derive(Clone, Default)]
struct Particular(Arc<AtomicUsize>);

impl Views for Particular {
    async fn apply(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        Totals.apply(conn, events).await?;
        for event in events {
            if event.read::<Added>()?.amount < 0 {
                self.0.fetch_add(usize::from(events.len() > 1), Ordering::Relaxed);
                return Err("it is negative".into());
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn what_a_view_cannot_take_in_is_its_callers_own_and_the_others_of_the_commit_are_recorded() {
    const CALLERS: usize = 100;
    const REFUSED: usize = 50;
    let database = Database::create().await;
    let view = Particular::default();
    let appender = Appender::start(&database.pool, &Wake::default(), &view);
    let answers = (0..CALLERS).map(|number| {
        appender.append(Append {
            stream: StreamId { kind: Counter::KIND.to_owned(), id: stream(number as u128) },
            version: 0,
            drafts: vec![Draft::of(&Added { amount: if number == REFUSED { -1 } else { 1 } })],
            meta: Meta::default(),
            now: context().now,
            idempotency: None,
        })
    });
    let answers = futures::future::join_all(answers).await;
    assert_eq!(view.0.load(Ordering::Relaxed), 1, "it was tried together with others, once");
    for (number, answer) in answers.iter().enumerate() {
        let alone = matches!(answer, Err(Error::View { .. }));
        let recorded = answer.as_ref().is_ok_and(|outcome| outcome.recorded().len() == 1);
        assert_eq!((alone, recorded), (number == REFUSED, number != REFUSED), "{number}: {answer:?}");
    }
    let kept =
        "select (select count(*) from eventlog.events), (select sum(total)::bigint from matching.totals)";
    let kept: (i64, i64) = sqlx::query_as(kept).fetch_one(&database.pool).await.unwrap();
    assert_eq!(kept, (99, 99));
}
