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
const PAGE: usize = 1000;

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
    /// The follower could not take in a run of events, the last of which is named.
    Events { count: usize, position: i64, name: String, source: BoxError },
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
    /// The most events of the next transaction; fewer while a failure among them is narrowed down.
    limit: usize,
    /// Up to here events are suspected after a failure.
    suspect: i64,
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
        let (limit, suspect) = (PAGE, 0);
        Self { follower, pool, safe, standing, wake, fence, trouble, backoff, limit, suspect }
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
                Err(Failure::Events { count, position, .. }) if count > 1 => {
                    self.suspect = self.suspect.max(position);
                    self.limit = count / 2;
                    continue;
                }
                Err(Failure::Events { position, name, source, .. }) => {
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

        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let page = read(&mut *sql, checkpoint, Some(safe), limit).await?;
        let Some(last) = self.take_in(&mut sql, &page).await? else {
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

    /// Takes in the events of a page as long as its time lasts, and answers with the position of the last one.
    ///
    /// A run of events is taken in at once; it ends with an event that the follower reacts to.
    async fn take_in(&self, conn: &mut PgConnection, page: &[Recorded]) -> Result<Option<i64>, Failure> {
        let begun = Instant::now();
        let (mut count, mut last) = (0, None);
        for run in page.split_inclusive(|event| self.follower.reacts_to(event)) {
            let Some(end) = run.last() else { break };
            count += run.len();
            let effect = AssertUnwindSafe(self.affect(conn, run, end)).catch_unwind().await;
            effect.unwrap_or_else(|_| Err("it panicked".into())).map_err(|source| Failure::Events {
                count,
                position: end.position,
                name: end.name.clone(),
                source,
            })?;
            last = Some(end.position);
            if begun.elapsed() > PAGE_TIME {
                break;
            }
        }
        Ok(last)
    }

    /// Projects a run and reacts to its last event, each in the trace of the event that it is for.
    async fn affect(
        &self,
        conn: &mut PgConnection,
        run: &[Recorded],
        end: &Recorded,
    ) -> Result<(), BoxError> {
        let name = self.follower.name();
        let first = run.first().and_then(|event| event.meta.traceparent.as_deref());
        self.follower.project(conn, run).instrument(telemetry::follow_span(name, first)).await?;
        if !self.follower.reacts_to(end) {
            return Ok(());
        }
        let reaction = telemetry::follow_span(name, end.meta.traceparent.as_deref());
        self.follower.react(conn, end).instrument(reaction).await
    }

    /// Tells those who wait how far the follower has come, and ends a trouble that lies behind it.
    fn passed(&mut self, position: i64) {
        let stuck = matches!(self.trouble, Trouble::Event(at) if position < at);
        if self.trouble != Trouble::None && !stuck {
            tracing::info!(follower = self.follower.name(), position, "the follower goes on");
            self.trouble = Trouble::None;
            self.backoff = BACKOFF_MIN;
        }
        if position >= self.suspect {
            self.limit = PAGE;
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
