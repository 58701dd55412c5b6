//! Postgres is stopped at once, again and again, while many write: what was acknowledged is stored, what is stored was
//! attempted, and everything that follows from it is what a fold from zero says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use boot::database::Database as Prepared;
use boot::postgres::{Cluster, ClusterConfig};
use eventlog::{CommandError, Context, Feed, Idempotency, Journal};
use sqlx::PgPool;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::counter::{Add, Added, Counter, Noting, Totals, context, stream};
use crate::delivery::seen;
use crate::support::fill;

const WRITERS: i64 = 8;
const STREAMS: i64 = 20;
const ROUND: Duration = Duration::from_millis(700);
/// Longer than a pool trusts a connection that was idle when the server stopped.
const LAST_ROUND: Duration = Duration::from_millis(1500);
/// More than a few stops a minute, and the server's keeper gives it up.
const LONG_ROUND: Duration = Duration::from_secs(13);

/// A folder on the disk, where it matters what a stop leaves behind.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What the writers know.
#[derive(Default)]
struct Ledger {
    next: AtomicI64,
    over: AtomicBool,
    attempted: Mutex<BTreeSet<i64>>,
    acknowledged: Mutex<BTreeSet<i64>>,
}

/// Writes numbers, each under a key of its own; every other one is tried until there is an answer.
async fn write(journal: Journal<Totals>, ledger: Arc<Ledger>) {
    while !ledger.over.load(Ordering::Relaxed) {
        let number = ledger.next.fetch_add(1, Ordering::Relaxed) + 1;
        ledger.attempted.lock().unwrap().insert(number);
        let key = Idempotency { scope: "crash".to_owned(), key: number.to_string(), fingerprint: vec![] };
        let context = Context { idempotency: Some(key), ..context() };
        let id = stream(u128::from(number.rem_euclid(STREAMS).unsigned_abs()));
        loop {
            match journal.execute::<Counter>(&context, id, Add(vec![-number])).await {
                Ok(_) => {
                    ledger.acknowledged.lock().unwrap().insert(number);
                    break;
                }
                Err(CommandError::Failed(_) | CommandError::KeyInUse | CommandError::Conflict) => {
                    sleep(Duration::from_millis(5)).await;
                    if number % 2 == 0 || ledger.over.load(Ordering::Relaxed) {
                        break;
                    }
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Stops the server as `pg_ctl stop -m immediate` does; its keeper starts it anew.
fn stop_at_once(cluster: &Cluster) -> bool {
    let Some(postmaster) = cluster.postmaster() else { return false };
    Command::new("kill").args(["-QUIT", &postmaster.to_string()]).status().unwrap().success()
}

async fn until_up(pool: &PgPool) {
    while sqlx::query("select 1").execute(pool).await.is_err() {
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_a_postgres_that_is_stopped_at_once() {
    crash_loop(3, ROUND).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: make soak"]
async fn what_was_acknowledged_outlives_a_postgres_that_is_stopped_twenty_times() {
    crash_loop(20, LONG_ROUND).await;
}

async fn crash_loop(rounds: u32, round: Duration) {
    let folder = Folder(std::env::temp_dir().join(format!("updraft-eventlog-crash-{}", std::process::id())));
    let cluster = Cluster::start(ClusterConfig::in_dir(&folder.0)).await.unwrap();
    let prepared = Prepared::private(&cluster).await.unwrap();
    fill(&prepared).await.unwrap();
    let pool = prepared.pool("matching");
    let feed = Feed::start(prepared.pool("feed"), CancellationToken::new());
    feed.follow(pool.clone(), Noting("noting"));

    let ledger = Arc::new(Ledger::default());
    let journal = Journal::new(prepared.pool("matching"), feed.wake(), Totals);
    let writers: Vec<_> =
        (0..WRITERS).map(|_| tokio::spawn(write(journal.clone(), Arc::clone(&ledger)))).collect();
    let mut stops = 0;
    for _ in 0..rounds {
        sleep(round).await;
        stops += u32::from(stop_at_once(&cluster));
        until_up(&pool).await;
    }
    sleep(LAST_ROUND).await;
    ledger.over.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(stops, rounds);

    let head = eventlog::head(&pool).await.unwrap();
    feed.passed("noting", head, Duration::from_mins(1)).await.unwrap();
    compare(&pool, &ledger).await;
    feed.drain().await;
    cluster.stop().await;
}

async fn compare(pool: &PgPool, ledger: &Ledger) {
    let (mut stored, mut totals) = (BTreeSet::new(), BTreeMap::<Uuid, i64>::new());
    let (mut positions, mut versions) = (Vec::new(), BTreeMap::<Uuid, i64>::new());
    let mut at = 0;
    loop {
        let page = eventlog::read(pool, at, None, 1000).await.unwrap();
        let Some(last) = page.last() else { break };
        at = last.position;
        for event in &page {
            let amount = event.read::<Added>().unwrap().amount;
            assert!(stored.insert(-amount), "{} is stored twice", -amount);
            *totals.entry(event.stream.id).or_default() += amount;
            let before = versions.insert(event.stream.id, event.version).unwrap_or_default();
            assert_eq!(event.version, before + 1, "stream {}", event.stream.id);
            positions.push(event.position);
        }
    }
    let (attempted, acknowledged) =
        (ledger.attempted.lock().unwrap().clone(), ledger.acknowledged.lock().unwrap().clone());
    assert!(acknowledged.len() > 100, "{} acknowledged writes prove nothing", acknowledged.len());
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged and not stored: {lost:?}");
    assert!(stored.is_subset(&attempted));

    let viewed: Vec<(Uuid, i64)> =
        sqlx::query_as("select id, total from matching.totals order by id").fetch_all(pool).await.unwrap();
    assert_eq!(viewed, totals.into_iter().collect::<Vec<_>>(), "the inline view");
    assert_eq!(seen(pool, "noting").await, positions, "the follower");
}
