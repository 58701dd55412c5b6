//! Long transactions: which of them hold the feed up, and what ends the one that does.

use std::time::{Duration, Instant};

use eventlog::{Begun, Feed, Journal};
use sqlx::{Executor, PgPool};

use crate::counter::{Add, Counter, Noting, Totals, context, stream};
use crate::delivery::{feed, seen};
use crate::support::Database;

const SOON: Duration = Duration::from_secs(5);

/// Appends for a while beside a transaction that stays open, and prints the longest time that the follower took.
async fn flows_beside(what: &str, (feed, journal): (&Feed, &Journal<Totals>), pool: &PgPool, work: &str) {
    let mut open = pool.begin().await.unwrap();
    for statement in work.split(';') {
        open.execute(sqlx::AssertSqlSafe(statement.to_owned())).await.unwrap();
    }
    let mut longest = Duration::ZERO;
    for _ in 0..50 {
        let receipt = journal.execute::<Counter>(&context(), stream(1), Add(vec![1])).await.unwrap();
        let acknowledged = Instant::now();
        feed.passed("noting", receipt.position, SOON).await.unwrap();
        longest = longest.max(acknowledged.elapsed());
    }
    println!("beside {what}: at most {longest:?}");
    open.commit().await.unwrap();
}

#[tokio::test]
async fn long_transactions_that_append_nothing_do_not_hold_the_feed_up() {
    let database = Database::create().await;
    let (feed, journal) = feed(&database);
    feed.follow(database.pool.clone(), Noting("noting"));
    let parts = (&feed, &journal);
    let unrelated = "create table public.unrelated (n int); insert into public.unrelated values (1)";
    flows_beside("a write to another table", parts, &database.admin, unrelated).await;
    let elsewhere = "create temporary table unrelated (n int); insert into unrelated values (1)";
    flows_beside("a write in another database", parts, &database.elsewhere(), elsewhere).await;
    let reading =
        "set transaction isolation level repeatable read, read only; select count(*) from eventlog.events";
    flows_beside("a long read", parts, &database.admin, reading).await;
    assert_eq!(seen(&database.pool, "noting").await.len(), 150);
}

#[tokio::test]
async fn an_append_left_open_holds_the_feed_up_until_the_server_ends_it() {
    let database = Database::create().await;
    let (feed, journal) = feed(&database);
    feed.follow(database.pool.clone(), Noting("noting"));
    feed.settle().await.unwrap();

    let impatient = database.services(1);
    // As the sessions of a service are, but sooner.
    impatient.execute("set idle_in_transaction_session_timeout to '1s'").await.unwrap();
    let forgetful = Journal::new(impatient, feed.wake(), Totals);
    let Begun::Work(mut open) = forgetful.begin(&context()).await.unwrap() else {
        panic!("no key, no replay")
    };
    let left_open = open.unit().execute::<Counter>(stream(2), Add(vec![1])).await.unwrap();
    let begun = Instant::now();
    let later = journal.execute::<Counter>(&context(), stream(1), Add(vec![1])).await.unwrap();
    assert!(left_open.position < later.position);
    feed.passed("noting", later.position, Duration::from_millis(100)).await.unwrap_err();

    feed.passed("noting", later.position, SOON).await.unwrap();
    println!("beside an append left open: {:?}, of which it is given 1 s", begun.elapsed());
    open.commit(left_open).await.unwrap_err();
    assert_eq!(seen(&database.pool, "noting").await, [later.position]);
}
