//! The appender: what queues up while a commit runs is appended by the next one.
//!
//! A commit costs the same for one event as for many, because it waits for the disk. So each lane takes whatever its queue
//! holds when the previous commit is through; no timer holds anybody back, and one caller alone waits for nobody.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::iter::zip;
use std::mem;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use opentelemetry::metrics::{Counter, Histogram};
use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, PgPool, Postgres};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::append::append;
use crate::{Append, Error, Outcome, Recorded, Views, Wake, idempotency};

/// How many commits may run at the same time; a stream always goes through the same one.
const LANES: usize = 4;

/// The most callers of one commit.
const CALLERS_MAX: usize = 256;

/// How long a lane that has nothing to do keeps its connection: taking one and giving it back costs a caller who comes again
/// at once as much as the append itself costs the server.
const LINGER: Duration = Duration::from_millis(5);

/// How often receipts that have had their day are looked for.
const SWEEP_PAUSE: Duration = Duration::from_mins(1);

/// Appends for the callers of a process, many in one commit.
///
/// Made of tasks that end when the last clone is dropped and everything handed in has been answered.
#[derive(Clone, Debug)]
pub struct Appender {
    lanes: Arc<[mpsc::UnboundedSender<Job>]>,
}

/// What a caller hands in and waits for.
#[derive(Debug)]
struct Job {
    append: Append,
    answer: Answer,
}

type Answer = oneshot::Sender<Result<Outcome, Error>>;

impl Appender {
    /// Starts the lanes; each takes a connection of the pool for as long as it has work.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    #[must_use]
    pub fn start<V: Views>(pool: &PgPool, wake: &Wake, views: &V) -> Self {
        let swept = Arc::default();
        let lane = |_| {
            let (jobs, queue) = mpsc::unbounded_channel();
            let lane = Lane {
                pool: pool.clone(),
                wake: wake.clone(),
                views: views.clone(),
                instruments: Instruments::new(),
                conn: None,
                swept: Arc::clone(&swept),
            };
            tokio::spawn(lane.run(queue));
            jobs
        };
        Self { lanes: (0..LANES).map(lane).collect() }
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
        let (answer, answered) = oneshot::channel();
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
    instruments: Instruments,
    /// Kept as long as there is work, and a moment longer.
    conn: Option<PoolConnection<Postgres>>,
    /// When somebody last looked for old receipts.
    swept: Arc<Mutex<Option<Instant>>>,
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
        let begun = Instant::now();
        let (appends, mut answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|job| (job.append, job.answer)).unzip();
        self.instruments.callers.record(appends.len() as u64, &[]);
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
        self.instruments.duration.record(begun.elapsed().as_secs_f64(), &[]);
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
        let mut recorded = 0;
        for (_, outcome) in &answers {
            match outcome {
                Ok(Outcome::Recorded(events)) => recorded += events.len() as u64,
                Ok(Outcome::Contended | Outcome::KeyTaken) => self.instruments.conflicts.add(1, &[]),
                Err(_) => {}
            }
        }
        // The callers last: whoever was woken last goes on first.
        if recorded > 0 {
            self.instruments.events.add(recorded, &[]);
            self.wake.signal();
        }
        for (answer, outcome) in answers {
            // Whoever does not wait any more has nothing to be told.
            let _ = answer.send(outcome);
        }
    }

    /// Forgets old receipts, if nobody has done so for a while.
    async fn sweep(&mut self) {
        {
            let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
            if swept.is_some_and(|swept| swept.elapsed() < SWEEP_PAUSE) {
                return;
            }
            *swept = Some(Instant::now());
        }
        // Nobody waits for a connection while holding one.
        self.conn = None;
        if let Err(error) = idempotency::sweep(&self.pool).await {
            tracing::debug!(%error, "old receipts were not swept");
        }
    }
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

/// What is measured of every commit.
struct Instruments {
    callers: Histogram<u64>,
    duration: Histogram<f64>,
    events: Counter<u64>,
    conflicts: Counter<u64>,
}

impl Instruments {
    fn new() -> Self {
        let meter = telemetry::meter();
        Self {
            callers: meter
                .u64_histogram("eventlog.append.callers")
                .with_description("Callers whose appends went into one commit.")
                .with_boundaries(vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0])
                .build(),
            duration: meter
                .f64_histogram("eventlog.append.duration")
                .with_unit("s")
                .with_description("Time of one commit, with its statement and the inline views.")
                .with_boundaries(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5])
                .build(),
            events: meter.u64_counter("eventlog.append.events").with_description("Events recorded.").build(),
            conflicts: meter
                .u64_counter("eventlog.append.conflicts")
                .with_description("Appends that met a changed stream or a taken key and were decided anew.")
                .build(),
        }
    }
}
