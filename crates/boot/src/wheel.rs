//! Turns what is due by the clock into commands, in time or when the clock is set by hand.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use eventlog::{BoxError, Feed};
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::Clock;
use crate::clock::Backwards;

/// How often due work is looked for while the clock follows the system.
const TURN_EVERY: Duration = Duration::from_secs(15);

type Tick = Box<dyn Fn(Timestamp) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync>;

/// The due work of every service of the process.
#[derive(Clone)]
pub(crate) struct Wheel(Arc<Inner>);

struct Inner {
    clock: Clock,
    feed: Feed,
    ticks: Vec<(&'static str, Tick)>,
    turning: Mutex<()>,
}

/// Why the clock was not set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WheelError {
    /// Time does not run backwards.
    #[error(transparent)]
    Backwards(#[from] Backwards),
    /// The followers do not catch up.
    #[error(transparent)]
    Stuck(#[from] eventlog::Error),
}

impl Wheel {
    pub(crate) fn new(clock: Clock, feed: Feed, ticks: Vec<(&'static str, Tick)>) -> Self {
        Self(Arc::new(Inner { clock, feed, ticks, turning: Mutex::new(()) }))
    }

    /// Does everything that is due now, service by service.
    pub(crate) async fn turn(&self) {
        let _one_at_a_time = self.0.turning.lock().await;
        for (service, tick) in &self.0.ticks {
            if let Err(error) = tick(self.0.clock.now()).await {
                let error: &dyn Error = &*error;
                tracing::error!(service, error, "due work failed; it is tried again");
            }
        }
    }

    /// Sets a manual clock, does what is due by then, and waits until every consequence has arrived.
    pub(crate) async fn set_clock(&self, now: Timestamp) -> Result<(), WheelError> {
        self.0.feed.settle().await?;
        self.0.clock.set(now)?;
        self.turn().await;
        self.0.feed.settle().await?;
        Ok(())
    }

    /// Waits until every follower has taken in everything.
    pub(crate) async fn settle(&self) -> Result<i64, WheelError> {
        Ok(self.0.feed.settle().await?)
    }

    /// Lets the clock follow the system.
    pub(crate) fn resume_clock(&self) {
        self.0.clock.resume();
    }

    /// Turns until it is told to stop, after the turn it is at; a manual clock turns it by itself.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut interval = tokio::time::interval(TURN_EVERY);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(interval.tick()).await.is_some() {
            if !self.0.clock.is_manual() {
                self.turn().await;
            }
        }
    }
}
