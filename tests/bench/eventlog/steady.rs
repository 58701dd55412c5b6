//! From the answer to an append to its event at the consumers, at a fixed rate that nobody's slowness holds back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use eventlog::{Appender, BoxError, Follower, Outcome, Recorded};
use proto::sessions::QuestionAsked;
use sqlx::PgConnection;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::peers::Race;
use crate::stage::Log;
use crate::witness::Witness;
use crate::{callers, event};

/// Appends per second.
pub(crate) const RATE: u32 = 2_000;
/// As many consumers.
pub(crate) const CONSUMERS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];
/// How long an unrelated transaction that writes is left open.
pub(crate) const UNRELATED: Duration = Duration::from_secs(5);

const BEAT: Duration = Duration::from_millis(5);

/// What became of the events: nanoseconds since the beginning, 0 for not yet.
struct Times {
    begun: Instant,
    started: Vec<AtomicU64>,
    acknowledged: Vec<AtomicU64>,
    seen: Vec<Vec<AtomicU64>>,
}

/// A follower that notes when it gets an event, and whether in its turn.
struct Consumer {
    nr: usize,
    times: Arc<Times>,
    witness: Witness,
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Steady {
    /// From the answer to each consumer, sorted.
    delays: Vec<Duration>,
    /// How much longer the worst delay was than the slowest append in flight meanwhile.
    pub(crate) excess: Duration,
    /// The slowest append.
    pub(crate) slowest: Duration,
    /// What any of the consumers missed, or got twice or out of order.
    pub(crate) race: Race,
}

impl Steady {
    /// The delay that this share of events did not exceed.
    pub(crate) fn percentile(&self, share: u64) -> Duration {
        let last = self.delays.len().saturating_sub(1) as u64;
        let at = usize::try_from(last * share / 100).unwrap_or_default();
        self.delays.get(at).copied().unwrap_or_default()
    }
}

/// Appends for so long; if asked, an unrelated transaction writes meanwhile and stays open.
pub(crate) async fn run(log: &Log, time: Duration, disturbed: bool) -> anyhow::Result<Steady> {
    let count = u32::try_from(time.as_millis() * u128::from(RATE) / 1000)?;
    let times = Arc::new(Times::new(count));
    let feed = log.feed();
    let witnesses = CONSUMERS.map(Witness::new);
    for (nr, witness) in witnesses.iter().cloned().enumerate() {
        feed.follow(log.service.clone(), Consumer { nr, times: Arc::clone(&times), witness });
    }
    feed.settle().await?;
    let appender = Appender::start(&log.appending(), &feed.wake(), &());
    let disturbance = disturbed.then(|| tokio::spawn(write_and_wait(log.owner.clone())));
    append(&appender, &times, count).await?;
    if let Some(disturbance) = disturbance {
        disturbance.await??;
    }
    feed.settle().await?;
    feed.drain().await;
    let missed = |race: Race, witness: &Witness| race.and(witness.race(u64::from(count)));
    times.measured(witnesses.iter().fold(Race::default(), missed))
}

/// A beat hands in what is due by then, whatever became of the earlier ones.
async fn append(appender: &Appender, times: &Arc<Times>, count: u32) -> anyhow::Result<()> {
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut running = JoinSet::new();
    let each = RATE * u32::try_from(BEAT.as_millis())? / 1000;
    for number in 0..count {
        if number % each == 0 {
            beat.tick().await;
        }
        let (appender, times) = (appender.clone(), Arc::clone(times));
        running.spawn(async move {
            times.note(&times.started, number);
            let outcome = appender.append(callers::draft(event::stream(), 0, 1, number)).await?;
            times.note(&times.acknowledged, number);
            ensure!(matches!(outcome, Outcome::Recorded(_)), "an append to a new stream was {outcome:?}");
            Ok(())
        });
    }
    while let Some(appended) = running.join_next().await {
        appended??;
    }
    Ok(())
}

/// Takes a transaction id by writing to a table of its own, and keeps it.
async fn write_and_wait(pool: sqlx::PgPool) -> anyhow::Result<()> {
    sqlx::query("create table if not exists unrelated (nr int)").execute(&pool).await?;
    let mut transaction = pool.begin().await?;
    sqlx::query("insert into unrelated values (1)").execute(&mut *transaction).await?;
    tokio::time::sleep(UNRELATED).await;
    Ok(transaction.commit().await?)
}

impl Follower for Consumer {
    fn name(&self) -> &'static str {
        CONSUMERS[self.nr]
    }

    async fn project(&self, _: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        for event in events {
            let number = event::number(&event.read::<QuestionAsked>()?).ok_or("the event has no number")?;
            self.times.note(&self.times.seen[self.nr], number);
        }
        self.witness.take(events);
        Ok(())
    }
}

impl Times {
    fn new(count: u32) -> Self {
        let none = || (0..count).map(|_| AtomicU64::new(0)).collect();
        let seen = CONSUMERS.iter().map(|_| none()).collect();
        Self { begun: Instant::now(), started: none(), acknowledged: none(), seen }
    }

    fn note(&self, times: &[AtomicU64], number: u32) {
        let now = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if let Some(time) = times.get(number as usize) {
            time.store(now, Ordering::Relaxed);
        }
    }

    fn measured(&self, race: Race) -> anyhow::Result<Steady> {
        let read = |times: &[AtomicU64]| -> Vec<u64> {
            times.iter().map(|time| time.load(Ordering::Relaxed)).collect()
        };
        let (started, acknowledged) = (read(&self.started), read(&self.acknowledged));
        let appends: Vec<(u64, u64)> = started.into_iter().zip(acknowledged).collect();
        let slowest = appends.iter().map(|(start, end)| end - start).max().context("nothing was appended")?;
        let (mut delays, mut excess) = (Vec::new(), 0);
        for seen in &self.seen {
            let arrived = appends.iter().zip(read(seen)).filter(|(_, seen)| *seen > 0);
            for ((_, acknowledged), seen) in arrived {
                let delay = seen.saturating_sub(*acknowledged);
                delays.push(Duration::from_nanos(delay));
                if delay > excess {
                    let meanwhile = slowest_between(&appends, *acknowledged, seen);
                    excess = excess.max(delay.saturating_sub(meanwhile));
                }
            }
        }
        delays.sort_unstable();
        Ok(Steady {
            delays,
            excess: Duration::from_nanos(excess),
            slowest: Duration::from_nanos(slowest),
            race,
        })
    }
}

/// How long the slowest append took of those in flight at any moment between two.
fn slowest_between(appends: &[(u64, u64)], from: u64, to: u64) -> u64 {
    let meanwhile = appends.iter().filter(|(start, end)| *start <= to && *end >= from);
    meanwhile.map(|(start, end)| end - start).max().unwrap_or_default()
}
