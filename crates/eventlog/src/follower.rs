//! A follower: one consumer of the log, its checkpoint, and what happens when it fails.

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::FutureExt;
use sqlx::{PgConnection, PgPool};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{BoxError, Recorded, Wake, read};

/// The most events of one transaction.
const PAGE: i64 = 1000;

/// How long a transaction goes on taking events: while it is open, it holds back what its reactions have appended.
const PAGE_TIME: Duration = Duration::from_millis(50);

/// How long to wait after a first failure; each further one doubles it.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// A consumer of the log, e.g. a service that needs to know what happens in others.
///
/// Both functions run in the transaction that moves the checkpoint, so their effect on the database happens once for
/// each event, whatever fails when. An error rolls back and is tried again: an event is never skipped.
pub trait Follower: Send + Sync + 'static {
    /// The name under which its checkpoint is kept.
    fn name(&self) -> &'static str;

    /// Takes events into read models, in the order of the log; a replay calls it again.
    ///
    /// A page is written set by set: see [`Patches`](crate::Patches).
    ///
    /// # Errors
    ///
    /// Any error stops the follower at the event that causes it until it succeeds.
    fn project(
        &self,
        conn: &mut PgConnection,
        events: &[Recorded],
    ) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// Whether [`Follower::react`] has anything to do with an event.
    ///
    /// A reaction sees the read models as they are after its event: nothing later is projected before it.
    fn reacts_to(&self, event: &Recorded) -> bool {
        let _ = event;
        false
    }

    /// Answers an event with commands of its own, through [`Journal::unit`](crate::Journal::unit); no part of a replay.
    ///
    /// # Errors
    ///
    /// Any error stops the follower at this event until it succeeds.
    fn react(
        &self,
        conn: &mut PgConnection,
        event: &Recorded,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = (conn, event);
        async { Ok(()) }
    }
}

/// How a follower stands, for those who wait for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Standing {
    /// Every event up to here has taken effect.
    pub(crate) position: i64,
    /// How often the next event has failed in a row.
    pub(crate) failures: u32,
}

/// Why a page was not delivered.
enum Failure {
    /// Another process follows under the same name.
    Fenced,
    /// The follower could not take in this event.
    Event { position: i64, name: String, source: BoxError },
    /// The log is out of reach.
    Log(crate::Error),
}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Self {
        Self::Log(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Log(error.into())
    }
}

/// What keeps a follower from going on at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    Event(i64),
    Log,
}

/// A follower at work.
pub(crate) struct Tail<F> {
    follower: F,
    pool: PgPool,
    safe: watch::Receiver<i64>,
    standing: watch::Sender<Standing>,
    wake: Wake,
    /// The proof that the checkpoint is ours, from the moment it was taken over.
    fence: Option<i64>,
    trouble: Trouble,
    backoff: Duration,
}

impl<F: Follower> Tail<F> {
    pub(crate) fn new(
        follower: F,
        pool: PgPool,
        safe: watch::Receiver<i64>,
        standing: watch::Sender<Standing>,
        wake: Wake,
    ) -> Self {
        let (fence, trouble, backoff) = (None, Trouble::None, BACKOFF_MIN);
        Self { follower, pool, safe, standing, wake, fence, trouble, backoff }
    }

    /// Follows until it is told to stop, or another process takes over.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let follower = self.follower.name();
        while !stop.is_cancelled() {
            match self.turn(&stop).await {
                Ok(()) => continue,
                Err(Failure::Fenced) => {
                    tracing::error!(follower, "another process has taken the follower over");
                    return;
                }
                Err(Failure::Event { position, name, source }) => {
                    if self.meets(Trouble::Event(position)) {
                        let error: &dyn Error = &*source;
                        tracing::error!(
                            error,
                            follower,
                            position,
                            name,
                            "the follower cannot take in an event"
                        );
                    }
                    self.standing.send_modify(|standing| standing.failures += 1);
                }
                Err(Failure::Log(error)) => {
                    if self.meets(Trouble::Log) {
                        let error: &dyn Error = &error;
                        tracing::error!(error, follower, "the follower cannot reach the log");
                    }
                }
            }
            stop.run_until_cancelled(sleep(self.backoff)).await;
            self.backoff = (self.backoff * 2).min(BACKOFF_MAX);
        }
    }

    /// Takes the checkpoint over if that is still to be done; else waits for news and delivers a page of it.
    async fn turn(&mut self, stop: &CancellationToken) -> Result<(), Failure> {
        let Some(fence) = self.fence else { return self.take_over().await };
        match stop.run_until_cancelled(self.news()).await {
            Some(safe) => self.deliver(fence, safe).await,
            None => Ok(()),
        }
    }

    /// Takes the checkpoint over from whoever had it.
    async fn take_over(&mut self) -> Result<(), Failure> {
        let (position, fence): (i64, i64) = sqlx::query_as(
            "insert into eventlog.checkpoints as checkpoint (consumer, position, fence)
             values ($1, 0, 1)
             on conflict (consumer) do update set fence = checkpoint.fence + 1
             returning position, fence",
        )
        .bind(self.follower.name())
        .fetch_one(&self.pool)
        .await?;
        self.fence = Some(fence);
        self.passed(position);
        Ok(())
    }

    /// Waits for events beyond where the follower stands, and answers with the watermark.
    async fn news(&mut self) -> i64 {
        let position = self.standing.borrow().position;
        let news = self.safe.wait_for(|safe| *safe > position).await.map(|safe| *safe);
        match news {
            Ok(safe) => safe,
            // Nobody keeps the watermark any more: the feed is about to tell us to stop.
            Err(_) => std::future::pending().await,
        }
    }

    /// Delivers one page and moves the checkpoint, in one transaction.
    async fn deliver(&mut self, fence: i64, safe: i64) -> Result<(), Failure> {
        let mut sql = self.pool.begin().await?;
        // Locking the row first keeps a process that has lost its fence from doing anything at all.
        let checkpoint: i64 = sqlx::query_scalar(
            "select position from eventlog.checkpoints where consumer = $1 and fence = $2 for update",
        )
        .bind(self.follower.name())
        .bind(fence)
        .fetch_optional(&mut *sql)
        .await?
        .ok_or(Failure::Fenced)?;

        let page = read(&mut *sql, checkpoint, Some(safe), PAGE).await?;
        let page = self.before_trouble(&page);
        let Some(last) = self.take_in(&mut sql, page).await? else {
            // The checkpoint is further than we knew: the answer to our last commit was lost.
            self.passed(safe);
            return Ok(());
        };

        let advanced = sqlx::query(
            "update eventlog.checkpoints set position = $4 where consumer = $1 and fence = $2 and position = $3",
        )
        .bind(self.follower.name())
        .bind(fence)
        .bind(checkpoint)
        .bind(last)
        .execute(&mut *sql)
        .await?;
        if advanced.rows_affected() != 1 {
            return Err(Failure::Fenced);
        }
        sql.commit().await?;
        self.passed(last);
        self.wake.signal();
        Ok(())
    }

    /// The page up to an event that has failed, which is then tried alone: the others need not wait for it.
    fn before_trouble<'p>(&self, page: &'p [Recorded]) -> &'p [Recorded] {
        let Trouble::Event(position) = self.trouble else { return page };
        let before = page.iter().take_while(|event| event.position < position).count();
        &page[..before.max(1).min(page.len())]
    }

    /// Takes in the events of a page as long as its time lasts, and answers with the position of the last one.
    async fn take_in(&self, conn: &mut PgConnection, page: &[Recorded]) -> Result<Option<i64>, Failure> {
        let begun = Instant::now();
        let mut last = None;
        for event in page {
            let span = telemetry::follow_span(self.follower.name(), event.meta.traceparent.as_deref());
            let effect = async {
                self.follower.project(conn, std::slice::from_ref(event)).await?;
                if !self.follower.reacts_to(event) {
                    return Ok(());
                }
                self.follower.react(conn, event).await
            };
            AssertUnwindSafe(effect.instrument(span))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Err("it panicked".into()))
                .map_err(|source| Failure::Event {
                    position: event.position,
                    name: event.name.clone(),
                    source,
                })?;
            last = Some(event.position);
            if begun.elapsed() > PAGE_TIME {
                break;
            }
        }
        Ok(last)
    }

    /// Tells those who wait how far the follower has come, and ends a trouble that lies behind it.
    fn passed(&mut self, position: i64) {
        let stuck = matches!(self.trouble, Trouble::Event(at) if position < at);
        if self.trouble != Trouble::None && !stuck {
            tracing::info!(follower = self.follower.name(), position, "the follower goes on");
            self.trouble = Trouble::None;
            self.backoff = BACKOFF_MIN;
        }
        self.standing.send_modify(|standing| {
            standing.position = position;
            standing.failures = if stuck { standing.failures } else { 0 };
        });
    }

    /// Tells whether a trouble is a new one: it is logged once, however often it repeats.
    fn meets(&mut self, trouble: Trouble) -> bool {
        let new = self.trouble != trouble;
        if new {
            self.trouble = trouble;
            self.backoff = BACKOFF_MIN;
        }
        new
    }
}
