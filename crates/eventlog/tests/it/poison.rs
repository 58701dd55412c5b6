//! An event that a follower cannot take in: found exactly, written down, and passed by nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use eventlog::{BoxError, Error, Feed, Follower, Poison, Recorded};
use sqlx::PgConnection;

use crate::counter::{Add, Counter, context, note, stream};
use crate::delivery::{feed, seen};
use crate::support::Database;

const SOON: Duration = Duration::from_secs(20);
const POISONOUS: i64 = 777;

/// Notes events, but cannot take in one of them until it is deployed anew.
#[derive(Clone, Default)]
struct Outdated {
    deployed: Arc<AtomicBool>,
}

impl Follower for Outdated {
    fn name(&self) -> &'static str {
        "outdated"
    }

    async fn project(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        let can = self.deployed.load(Ordering::Relaxed);
        if !can && events.iter().any(|event| event.position == POISONOUS) {
            return Err("what a later version writes".into());
        }
        note(self.name(), conn, events).await
    }
}

fn poison(feed: &Feed) -> Option<Poison> {
    feed.progress().remove(0).poison
}

#[tokio::test]
async fn a_poisonous_event_is_found_in_its_page_written_down_and_passed_once_it_can_be_read() {
    let database = Database::create().await;
    let (first, journal) = feed(&database);
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1; 1500])).await.unwrap();
    let outdated = Outdated::default();
    first.follow(database.pool.clone(), outdated.clone());

    let stuck = first.settle().await;
    assert!(matches!(stuck, Err(Error::Stuck { follower: "outdated", position: 776 })), "{stuck:?}");
    assert_eq!(seen(&database.pool, "outdated").await, (1..POISONOUS).collect::<Vec<_>>());
    let found = poison(&first).unwrap();
    assert_eq!((found.position, found.name.as_str()), (POISONOUS, "updraft.tests.v1.Added"));
    assert!(found.failures >= 5);

    // A process beside it sees it, and one after it goes on counting.
    let (second, _) = feed(&database);
    second.follow(database.pool.clone(), outdated.clone());
    assert!(matches!(second.settle().await, Err(Error::Stuck { position: 776, .. })));
    assert_eq!(poison(&second).unwrap().since, found.since);
    first.drain().await;
    while second.progress()[0].leads == 0 || poison(&second).is_none_or(|now| now.failures <= found.failures)
    {
        assert!(poison(&second).is_some(), "who takes over knows what lies ahead");
        tokio::task::yield_now().await;
    }
    assert_eq!(poison(&second).unwrap().since, found.since);

    outdated.deployed.store(true, Ordering::Relaxed);
    second.passed("outdated", 1500, SOON).await.unwrap();
    assert_eq!(poison(&second), None);
    assert_eq!(second.settle().await.unwrap(), 1500);
    assert_eq!(seen(&database.pool, "outdated").await, (1..=1500).collect::<Vec<_>>());
}

/// Notes events, and answers one of them with a failure.
#[derive(Clone, Default)]
struct Unanswering {
    healed: Arc<AtomicBool>,
}

impl Follower for Unanswering {
    fn name(&self) -> &'static str {
        "unanswering"
    }

    async fn project(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        note(self.name(), conn, events).await
    }

    fn reacts_to(&self, event: &Recorded) -> bool {
        event.position % 3 == 0
    }

    async fn react(&self, conn: &mut PgConnection, event: &Recorded) -> Result<(), BoxError> {
        // A reaction sees the read models as of its event.
        let last: i64 = sqlx::query_scalar("select max(position) from matching.seen where follower = $1")
            .bind(self.name())
            .fetch_one(conn)
            .await?;
        if last != event.position {
            return Err(format!("the read models are as of {last}, not {}", event.position).into());
        }
        if event.position == 6 && !self.healed.load(Ordering::Relaxed) {
            return Err("not now".into());
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_reaction_that_fails_holds_its_event_and_sees_nothing_later() {
    let database = Database::create().await;
    let (feed, journal) = feed(&database);
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1; 10])).await.unwrap();
    let unanswering = Unanswering::default();
    feed.follow(database.pool.clone(), unanswering.clone());
    assert!(matches!(feed.settle().await, Err(Error::Stuck { position: 5, .. })));
    assert_eq!(seen(&database.pool, "unanswering").await, (1..=5).collect::<Vec<_>>());
    unanswering.healed.store(true, Ordering::Relaxed);
    feed.passed("unanswering", 10, SOON).await.unwrap();
    assert_eq!(seen(&database.pool, "unanswering").await, (1..=10).collect::<Vec<_>>());
}
