//! Several processes under one name: one leads, the others wait, and whoever lost the lease does nothing more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use eventlog::{BoxError, Feed, Follower, Journal, Recorded};
use sqlx::PgConnection;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::counter::{Add, Counter, Noting, Totals, context, note, stream};
use crate::delivery::{feed, seen};
use crate::support::Database;

const SOON: Duration = Duration::from_secs(20);

/// A process of its own as far as its connections and its one thread go, which can be paused and killed.
struct Process {
    runtime: Option<Runtime>,
    feed: Feed,
}

impl Process {
    async fn follow(database: &Database, follower: impl Follower) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (feed, pool) = database.process();
        let following = runtime.spawn(async move {
            let feed = Feed::start(feed, CancellationToken::new());
            feed.follow(pool, follower);
            feed
        });
        let feed = following.await.unwrap();
        Self { runtime: Some(runtime), feed }
    }

    /// Stops the only thread until the sender is dropped.
    async fn pause(&self) -> Sender<()> {
        let (resume, paused): (_, Receiver<()>) = channel();
        let (pausing, stands_still) = tokio::sync::oneshot::channel();
        self.runtime.as_ref().unwrap().spawn(async move {
            pausing.send(()).unwrap();
            let _ = paused.recv();
        });
        stands_still.await.unwrap();
        resume
    }

    /// Ends it in the middle of what it does; its connections break.
    fn kill(mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    fn leads(&self) -> usize {
        leads(&self.feed)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn leads(feed: &Feed) -> usize {
    feed.progress()[0].leads
}

/// Notes events like [`Noting`], but with the first page still open it says so and does not go on until it is let.
struct Hesitant {
    hesitates: Arc<AtomicBool>,
    stands: Arc<Semaphore>,
    goes_on: Arc<Semaphore>,
}

impl Hesitant {
    fn new() -> Self {
        let closed = || Arc::new(Semaphore::new(0));
        Self { hesitates: Arc::new(AtomicBool::new(true)), stands: closed(), goes_on: closed() }
    }
}

impl Follower for Hesitant {
    fn name(&self) -> &'static str {
        "noting"
    }

    async fn project(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        note(self.name(), conn, events).await?;
        if self.hesitates.swap(false, Ordering::Relaxed) {
            self.stands.add_permits(1);
            self.goes_on.acquire().await?.forget();
        }
        Ok(())
    }
}

async fn append(journal: &Journal<Totals>, events: usize) -> i64 {
    journal.execute::<Counter>(&context(), stream(1), Add(vec![1; events])).await.unwrap().position
}

/// As if the lease had not been renewed for long.
async fn let_the_lease_run_out(database: &Database) {
    let aged = "update eventlog.checkpoints set renewed_at = renewed_at - interval '1 minute'";
    sqlx::query(aged).execute(&database.admin).await.unwrap();
}

#[tokio::test]
async fn a_second_process_waits_knows_how_far_the_first_is_and_takes_over_when_it_ends() {
    let database = Database::create().await;
    let (first, journal) = feed(&database);
    let (second, _) = feed(&database);
    first.follow(database.pool.clone(), Noting("noting"));
    append(&journal, 10).await;
    first.settle().await.unwrap();

    second.follow(database.pool.clone(), Noting("noting"));
    second.settle().await.unwrap();
    append(&journal, 10).await;
    second.settle().await.unwrap();
    assert_eq!((leads(&first), leads(&second)), (1, 0));

    first.drain().await;
    let last = append(&journal, 10).await;
    second.passed("noting", last, SOON).await.unwrap();
    assert_eq!(leads(&second), 1);
    assert_eq!(seen(&database.pool, "noting").await, (1..=30).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_follower_killed_between_effect_and_checkpoint_has_done_nothing_and_is_followed_at_once() {
    let database = Database::create().await;
    let (second, journal) = feed(&database);
    let last = append(&journal, 10).await;
    let hesitant = Hesitant::new();
    let stands = Arc::clone(&hesitant.stands);
    let first = Process::follow(&database, hesitant).await;
    stands.acquire().await.unwrap().forget();

    first.kill();
    let killed = Instant::now();
    second.follow(database.pool.clone(), Noting("noting"));
    second.passed("noting", last, SOON).await.unwrap();
    println!("the next process had taken everything in after {:?}", killed.elapsed());
    assert_eq!(seen(&database.pool, "noting").await, (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_lease_ends_with_the_session_that_renewed_it_or_after_a_while() {
    let database = Database::create().await;
    let held = async |renewed: &str, holder: &str| -> bool {
        let held = format!("select eventlog.is_held({renewed}, {holder})");
        sqlx::query_scalar(sqlx::AssertSqlSafe(held)).fetch_one(&database.pool).await.unwrap()
    };
    assert!(held("clock_timestamp()", "pg_backend_pid()").await);
    assert!(!held("clock_timestamp() - interval '6 seconds'", "pg_backend_pid()").await);
    assert!(!held("null", "null").await);
    assert!(!held("clock_timestamp()", "null").await);
    let nobody =
        "(select n from generate_series(1, 100) as n except select pid from pg_stat_activity limit 1)";
    assert!(!held("clock_timestamp()", nobody).await);
    // A session that began later has been given the number of the one before it.
    let young =
        "(select backend_start - interval '1 second' from pg_stat_activity where pid = pg_backend_pid())";
    let mut conn = database.services(1).acquire().await.unwrap();
    let younger = format!("select eventlog.is_held({young}, pg_backend_pid())");
    let younger: bool = sqlx::query_scalar(sqlx::AssertSqlSafe(younger)).fetch_one(&mut *conn).await.unwrap();
    assert!(!younger);
}

#[tokio::test]
async fn a_process_paused_beyond_its_lease_finds_its_fence_gone_and_waits_again() {
    let database = Database::create().await;
    let (second, journal) = feed(&database);
    let first = Process::follow(&database, Noting("noting")).await;
    let last = append(&journal, 10).await;
    first.feed.passed("noting", last, SOON).await.unwrap();

    let resume = first.pause().await;
    let_the_lease_run_out(&database).await;
    second.follow(database.pool.clone(), Noting("noting"));
    let last = append(&journal, 10).await;
    second.passed("noting", last, SOON).await.unwrap();

    drop(resume);
    first.feed.passed("noting", last, SOON).await.unwrap();
    assert_eq!((first.leads(), leads(&second)), (0, 1));
    second.drain().await;
    let last = append(&journal, 10).await;
    first.feed.passed("noting", last, SOON).await.unwrap();
    assert_eq!(first.leads(), 1);
    assert_eq!(seen(&database.pool, "noting").await, (1..=30).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_process_paused_inside_a_page_loses_it_when_the_server_ends_its_session() {
    let database = Database::create().await;
    let (second, journal) = feed(&database);
    let last = append(&journal, 10).await;
    let hesitant = Hesitant::new();
    let (stands, goes_on) = (Arc::clone(&hesitant.stands), Arc::clone(&hesitant.goes_on));
    let first = Process::follow(&database, hesitant).await;
    stands.acquire().await.unwrap().forget();

    second.follow(database.pool.clone(), Noting("noting"));
    let behind = second.passed("noting", last, Duration::from_millis(500)).await;
    assert!(behind.is_err(), "a page that is open is nobody else's");
    // As `idle_in_transaction_session_timeout` does.
    let ended = "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and usename = 'updraft_matching' and state = 'idle in transaction'";
    sqlx::query(ended).execute(&database.admin).await.unwrap();
    second.passed("noting", last, SOON).await.unwrap();

    goes_on.add_permits(1);
    first.feed.passed("noting", last, SOON).await.unwrap();
    assert_eq!(seen(&database.pool, "noting").await, (1..=10).collect::<Vec<_>>());
}
