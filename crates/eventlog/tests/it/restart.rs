//! What is written down of the watermark: where a feed begins, and what a crash of Postgres leaves of it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use boot::database::Database as Prepared;
use boot::postgres::{Cluster, ClusterConfig};
use eventlog::{Begun, Feed, Journal, Wake};
use sqlx::{Executor, PgPool};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::counter::{Add, Counter, Noting, context, stream};
use crate::delivery::{feed, seen};
use crate::support::Database;

const SOON: Duration = Duration::from_secs(30);

async fn until_settled(pool: &PgPool, position: i64) {
    while eventlog::settled(pool).await.unwrap() < position {
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_feed_that_starts_beside_an_open_append_has_what_was_settled_before() {
    let database = Database::create().await;
    let (first, journal) = feed(&database);
    let before = journal.execute::<Counter>(&context(), stream(1), Add(vec![1; 3])).await.unwrap();
    until_settled(&database.pool, before.position).await;
    first.drain().await;

    let Begun::Work(mut open) = journal.begin(&context()).await.unwrap() else { panic!("no key, no replay") };
    let left_open = open.unit().execute::<Counter>(stream(2), Add(vec![1])).await.unwrap();
    let later = journal.execute::<Counter>(&context(), stream(3), Add(vec![1])).await.unwrap();
    let (feed, _) = feed(&database);
    feed.follow(database.pool.clone(), Noting("noting"));
    feed.passed("noting", before.position, SOON).await.unwrap();
    assert!(feed.passed("noting", later.position, Duration::from_millis(300)).await.is_err());
    open.commit(left_open).await.unwrap();
    feed.passed("noting", later.position, SOON).await.unwrap();
    assert_eq!(seen(&database.pool, "noting").await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn the_watermark_is_only_ever_written_forwards() {
    let database = Database::create().await;
    let (_feed, journal) = feed(&database);
    sqlx::query("update eventlog.watermark set position = 1000000").execute(&database.admin).await.unwrap();
    let (_another, _) = feed(&database);
    let receipt = journal.execute::<Counter>(&context(), stream(1), Add(vec![1])).await.unwrap();
    sleep(Duration::from_millis(1500)).await;
    assert!(receipt.position < 1_000_000);
    assert_eq!(eventlog::settled(&database.pool).await.unwrap(), 1_000_000);
}

/// A directory on a disk, removed at the end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes, and gives every third append up, until the server is gone.
async fn write(journal: Journal<()>, writer: u128) {
    for number in 0_u32.. {
        let Ok(Begun::Work(mut transaction)) = journal.begin(&context()).await else { return };
        let added = transaction.unit().execute::<Counter>(stream(writer), Add(vec![1, 1])).await;
        let Ok(receipt) = added else { return };
        if number % 3 == 0 {
            transaction.rollback().await;
        } else if transaction.commit(receipt).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_down_of_the_watermark_is_right_after_kills_of_postgres() {
    let folder = Folder(std::env::temp_dir().join(format!("updraft-eventlog-{}", std::process::id())));
    let cluster = Cluster::start(ClusterConfig::in_dir(&folder.0)).await.unwrap();
    let database = Prepared::private(&cluster).await.unwrap();
    eventlog::migrate(&database.pool("eventlog")).await.unwrap();
    let pool = database.pool("matching");
    let table =
        "create table matching.seen (n bigint generated always as identity, follower text, position bigint,
                                             stream uuid, version bigint)";
    pool.execute(table).await.unwrap();
    let feed = Feed::start(database.pool("feed"), CancellationToken::new());
    feed.follow(pool.clone(), Noting("noting"));

    for round in 0..3 {
        let journal = Journal::new(pool.clone(), feed.wake(), ());
        let writers: Vec<_> =
            (0..4).map(|writer| tokio::spawn(write(journal.clone(), writer + 4 * round))).collect();
        let written = eventlog::head(&pool).await.unwrap() + 100;
        until_settled(&pool, written).await;
        let postmaster = cluster.postmaster().unwrap().to_string();
        assert!(Command::new("kill").args(["-9", &postmaster]).status().unwrap().success());
        for writer in writers {
            writer.await.unwrap();
        }
        // The very first look after the crash, before anything is appended.
        let (mark, there, last): (i64, bool, i64) = loop {
            let looked = sqlx::query_as(
                "select position, exists (select from eventlog.events where events.position = watermark.position),
                        (select last_value from eventlog.events_position_seq)
                 from eventlog.watermark",
            );
            match looked.fetch_one(&pool).await {
                Ok(found) => break found,
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        };
        assert!(there, "round {round}: no event at {mark}");
        assert!(last >= mark, "round {round}: {last} is given out again");
    }

    let journal = Journal::new(pool.clone(), Wake::default(), ());
    let last = loop {
        match journal.execute::<Counter>(&context(), stream(99), Add(vec![1])).await {
            Ok(receipt) => break receipt.position,
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    };
    feed.passed("noting", last, SOON).await.unwrap();
    let recorded: Vec<i64> = sqlx::query_scalar("select position from eventlog.events order by position")
        .fetch_all(&pool)
        .await
        .unwrap();
    println!("{} events at positions up to {last} over three kills", recorded.len());
    assert_eq!(seen(&pool, "noting").await, recorded);
    feed.drain().await;
    cluster.stop().await;
}
