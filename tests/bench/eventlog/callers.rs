//! Callers of the appender, each after the answer to its previous append.

use std::time::{Duration, Instant};

use anyhow::ensure;
use eventlog::{Append, Appender, Meta, Outcome, StreamId};
use futures::future::try_join_all;
use jiff::Timestamp;

use crate::event;

/// How many events a stream gets before the next one begins.
const STREAM_EVENTS: i64 = 10;

/// What callers have done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Events that are recorded.
    pub(crate) events: u64,
    /// How long it took.
    pub(crate) time: Duration,
    /// How long each append took.
    pub(crate) latencies: Vec<Duration>,
}

impl Done {
    /// Events per second.
    pub(crate) fn rate(&self) -> f64 {
        f64::from(u32::try_from(self.events).unwrap_or(u32::MAX)) / self.time.as_secs_f64()
    }

    /// The median time of an append.
    pub(crate) fn median(&mut self) -> Duration {
        self.latencies.sort_unstable();
        self.latencies.get(self.latencies.len() / 2).copied().unwrap_or_default()
    }
}

/// Appends with as many callers for as long, so many events at a time.
pub(crate) async fn append(
    appender: &Appender,
    callers: usize,
    time: Duration,
    events: usize,
) -> anyhow::Result<Done> {
    let begun = Instant::now();
    let all = try_join_all((0..callers).map(|_| {
        let appender = appender.clone();
        let caller = async move { caller(&appender, begun + time, events).await };
        async move { tokio::spawn(caller).await? }
    }))
    .await?;
    let latencies: Vec<Duration> = all.into_iter().flatten().collect();
    let events = u64::try_from(latencies.len() * events)?;
    Ok(Done { events, time: begun.elapsed(), latencies })
}

async fn caller(appender: &Appender, until: Instant, events: usize) -> anyhow::Result<Vec<Duration>> {
    let (mut stream, mut version) = (event::stream(), 0);
    let mut latencies = Vec::new();
    while Instant::now() < until {
        if version >= STREAM_EVENTS {
            (stream, version) = (event::stream(), 0);
        }
        let begun = Instant::now();
        let outcome = appender.append(draft(stream.clone(), version, events, 0)).await?;
        latencies.push(begun.elapsed());
        ensure!(matches!(outcome, Outcome::Recorded(_)), "an append to a stream of its own was {outcome:?}");
        version += i64::try_from(events)?;
    }
    Ok(latencies)
}

/// What is handed in: so many events with this number.
pub(crate) fn draft(stream: StreamId, version: i64, events: usize, number: u32) -> Append {
    let drafts = event::drafts(events, number);
    Append { stream, version, drafts, meta: Meta::default(), now: Timestamp::UNIX_EPOCH, idempotency: None }
}
