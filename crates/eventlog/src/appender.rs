//! The appender: what queues up while a commit runs is appended by the next one.
//!
//! A commit costs the same for one event as for many, because it waits for the disk. So each lane takes whatever its queue
//! holds when the previous commit is through; no timer holds anybody back, and one caller alone waits for nobody.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::iter::zip;
use std::mem;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, PgPool, Postgres};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::append::append;
use crate::instruments::Instruments;
use crate::{Append, Error, Outcome, Recorded, Views, Wake, idempotency};

/// How many commits may run at the same time; a stream always goes through the same one.
const LANES: usize = 4;

/// The most callers of one commit.
const CALLERS_MAX: usize = 256;

/// How long a lane that has nothing to do keeps its connection: taking one and giving it back costs a caller who comes again
/// at once as much as the append itself costs the server.
const LINGER: Duration = Duration::from_millis(5);

/// How often receipts that have had their day are looked for, and how soon again if there were more than are swept at once.
const SWEEP_PAUSE: Duration = Duration::from_mins(1);
const SWEEP_PAUSE_FULL: Duration = Duration::from_secs(1);

/// Appends for the callers of a process, many in one commit.
///
/// Made of tasks that end when the last clone is dropped and everything handed in has been answered.
#[derive(Clone, Debug)]
pub struct Appender {
    lanes: Arc<[mpsc::UnboundedSender<Job>]>,
    pub(crate) instruments: Arc<Instruments>,
}

/// What a caller hands in and waits for.
#[derive(Debug)]
struct Job {
    append: Append,
    answer: Answer,
}

/// Who waits, and since when.
#[derive(Debug)]
struct Answer {
    to: oneshot::Sender<Result<Outcome, Error>>,
    since: Instant,
}

impl Appender {
    /// Starts the lanes; each takes a connection of the pool for as long as it has work.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    #[must_use]
    pub fn start<V: Views>(pool: &PgPool, wake: &Wake, views: &V) -> Self {
        let (sweep_due, instruments) = (Arc::new(Mutex::new(Instant::now())), Arc::new(Instruments::new()));
        let lane = |_| {
            let (jobs, queue) = mpsc::unbounded_channel();
            let lane = Lane {
                pool: pool.clone(),
                wake: wake.clone(),
                views: views.clone(),
                instruments: Arc::clone(&instruments),
                conn: None,
                sweep_due: Arc::clone(&sweep_due),
            };
            tokio::spawn(lane.run(queue));
            jobs
        };
        Self { lanes: (0..LANES).map(lane).collect(), instruments }
    }

    /// Appends, in one commit with whoever else is waiting.
    ///
    /// A caller who goes away does not take the append back.
    ///
    /// # Errors
    ///
    /// [`Error::View`] if a view cannot take the events in, [`Error::Database`] or [`Error::Shared`] if the database fails; if
    /// the connection was lost, the events may have been recorded all the same.
    #[tracing::instrument(name = "eventlog.append", skip_all, fields(stream.kind = append.stream.kind, events = append.drafts.len()))]
    pub async fn append(&self, append: Append) -> Result<Outcome, Error> {
        let (to, answered) = oneshot::channel();
        let answer = Answer { to, since: Instant::now() };
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(&append.stream);
        let lane = usize::try_from(hash % LANES as u64).unwrap_or_default();
        // Both fail only if the runtime has ended the lane.
        self.lanes[lane].send(Job { append, answer }).map_err(|_| sqlx::Error::WorkerCrashed)?;
        answered.await.unwrap_or_else(|_| Err(sqlx::Error::WorkerCrashed.into()))
    }
}

/// One commit after another.
struct Lane<V> {
    pool: PgPool,
    wake: Wake,
    views: V,
    instruments: Arc<Instruments>,
    /// Kept as long as there is work, and a moment longer.
    conn: Option<PoolConnection<Postgres>>,
    /// When old receipts are to be looked for again.
    sweep_due: Arc<Mutex<Instant>>,
}

impl<V: Views> Lane<V> {
    async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Job>) {
        let mut waiting = Vec::new();
        while !waiting.is_empty() || self.wait(&mut queue, &mut waiting).await {
            while waiting.len() < CALLERS_MAX
                && let Ok(job) = queue.try_recv()
            {
                waiting.push(job);
            }
            let batch = take_apart(&mut waiting);
            let keyed = batch.iter().any(|job| job.append.idempotency.is_some());
            self.answer(batch).await;
            if keyed {
                self.sweep().await;
            }
        }
    }

    /// Waits for callers; none come when all clones of the appender are gone.
    async fn wait(&mut self, queue: &mut mpsc::UnboundedReceiver<Job>, waiting: &mut Vec<Job>) -> bool {
        if self.conn.is_some() {
            if let Ok(jobs) = timeout(LINGER, queue.recv_many(waiting, CALLERS_MAX)).await {
                return jobs > 0;
            }
            self.conn = None;
        }
        queue.recv_many(waiting, CALLERS_MAX).await > 0
    }

    /// Carries a batch out, together or, if somebody in it cannot be helped, each on its own.
    async fn answer(&mut self, batch: Vec<Job>) {
        let (appends, mut answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|job| (job.append, job.answer)).unzip();
        self.instruments.shared(appends.len());
        match self.commit(appends.clone()).await {
            Ok(outcomes) => self.reply(zip(answers, outcomes.into_iter().map(Ok))),
            Err(error) if answers.len() == 1 => self.reply(answers.pop().map(|answer| (answer, Err(error)))),
            Err(error) if error.is_undone() => {
                for (append, answer) in zip(appends, answers) {
                    let alone = self.commit(vec![append]).await;
                    self.reply(
                        alone
                            .map(|outcomes| outcomes.into_iter().next())
                            .transpose()
                            .map(|outcome| (answer, outcome)),
                    );
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                self.reply(
                    answers.into_iter().map(|answer| (answer, Err(Error::Shared(Arc::clone(&error))))),
                );
            }
        }
    }

    /// Appends and takes what was recorded into the views, in one commit.
    async fn commit(&mut self, appends: Vec<Append>) -> Result<Vec<Outcome>, Error> {
        // Kept only if all goes well: after a failure the pool looks whether the connection is still alive.
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => self.pool.acquire().await?,
        };
        let outcomes = self.commit_on(&mut conn, appends).await?;
        self.conn = Some(conn);
        Ok(outcomes)
    }

    async fn commit_on(&self, conn: &mut PgConnection, appends: Vec<Append>) -> Result<Vec<Outcome>, Error> {
        if !V::INLINE {
            return append(conn, appends).await;
        }
        let mut transaction = conn.begin().await?;
        let outcomes = append(&mut transaction, appends).await?;
        let recorded: Vec<Recorded> = outcomes.iter().flat_map(Outcome::recorded).cloned().collect();
        take_in(&self.views, &mut transaction, &recorded).await?;
        transaction.commit().await?;
        Ok(outcomes)
    }

    fn reply(&self, answers: impl IntoIterator<Item = (Answer, Result<Outcome, Error>)>) {
        let answers: Vec<_> = answers.into_iter().collect();
        let mut recorded = false;
        for (answer, outcome) in &answers {
            self.instruments.appended(outcome);
            self.instruments.answered(answer.since);
            recorded |= outcome.as_ref().is_ok_and(|outcome| !outcome.recorded().is_empty());
        }
        // The callers last: whoever was woken last goes on first.
        if recorded {
            self.wake.signal();
        }
        for (answer, outcome) in answers {
            // Whoever does not wait any more has nothing to be told.
            let _ = answer.to.send(outcome);
        }
    }

    /// Forgets old receipts, if nobody has done so for a while.
    async fn sweep(&mut self) {
        let now = Instant::now();
        {
            let mut due = lock(&self.sweep_due);
            if *due > now {
                return;
            }
            *due = now + SWEEP_PAUSE;
        }
        // Nobody waits for a connection while holding one.
        self.conn = None;
        match idempotency::sweep(&self.pool).await {
            Ok(true) => *lock(&self.sweep_due) = now + SWEEP_PAUSE_FULL,
            Ok(false) => {}
            Err(error) => tracing::debug!(%error, "old receipts were not swept"),
        }
    }
}

fn lock(due: &Mutex<Instant>) -> MutexGuard<'_, Instant> {
    due.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes out what one commit can carry: no two jobs of a stream, or of a key, which have to see each other's outcome.
fn take_apart(waiting: &mut Vec<Job>) -> Vec<Job> {
    let (mut streams, mut keys) = (HashSet::new(), HashSet::new());
    let (batch, later) = mem::take(waiting).into_iter().partition(|Job { append, .. }| {
        let key = append.idempotency.as_ref().map(|key| (key.scope.clone(), key.key.clone()));
        streams.insert(append.stream.clone()) && key.is_none_or(|key| keys.insert(key))
    });
    *waiting = later;
    batch
}

/// Takes events into the views; a view that panics has failed, and the lane goes on.
pub(crate) async fn take_in<V: Views>(
    views: &V,
    conn: &mut PgConnection,
    events: &[Recorded],
) -> Result<(), Error> {
    let Some(first) = events.first() else { return Ok(()) };
    let applied = AssertUnwindSafe(views.apply(conn, events)).catch_unwind().await;
    applied
        .unwrap_or_else(|_| Err("it panicked".into()))
        .map_err(|source| Error::View { name: first.name.clone(), source })
}
