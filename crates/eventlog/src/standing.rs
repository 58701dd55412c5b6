//! How followers stand, for those who wait for them and for those who watch.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::metrics::Gauge;
use telemetry::KeyValue;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::checkpoint::Poison;
use crate::tail::Tail;

/// How often the gauges are set.
const MEASURE_PAUSE: Duration = Duration::from_secs(1);

/// The longest lag in time that is told from a longer one, in measurements.
const HEADS_KEPT: usize = 3600;

/// How one lane stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct LaneStanding {
    /// Every event of its share up to here has taken effect.
    pub(crate) position: i64,
    /// Whether this process leads it.
    pub(crate) leads: bool,
    /// What it does not get past.
    pub(crate) poison: Option<Poison>,
}

/// How a follower stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) lanes: Vec<LaneStanding>,
}

impl Standing {
    /// Every event up to here has taken effect.
    pub(crate) fn position(&self) -> i64 {
        self.lanes.iter().map(|lane| lane.position).min().unwrap_or_default()
    }

    /// How often the event has failed in a row that a lane does not get past.
    pub(crate) fn failures(&self) -> i32 {
        self.poison().map_or(0, |poison| poison.failures)
    }

    fn poison(&self) -> Option<&Poison> {
        self.lanes.iter().filter_map(|lane| lane.poison.as_ref()).max_by_key(|poison| poison.failures)
    }
}

/// How far a follower has come, as this process sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The name of the follower.
    pub follower: &'static str,
    /// Every event up to here has taken effect.
    pub position: i64,
    /// How many lanes of it this process leads.
    pub leads: usize,
    /// The event that it does not get past.
    pub poison: Option<Poison>,
}

/// The followers of a process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Followers(Arc<Mutex<BTreeMap<&'static str, watch::Receiver<Standing>>>>);

impl Followers {
    pub(crate) fn add(&self, follower: &'static str, standing: watch::Receiver<Standing>) {
        self.lock().insert(follower, standing);
    }

    pub(crate) fn get(&self, follower: &str) -> Option<watch::Receiver<Standing>> {
        self.lock().get(follower).cloned()
    }

    pub(crate) fn all(&self) -> BTreeMap<&'static str, watch::Receiver<Standing>> {
        self.lock().clone()
    }

    pub(crate) fn progress(&self) -> Vec<Progress> {
        let progress = |(follower, standing): (_, watch::Receiver<Standing>)| {
            let standing = standing.borrow();
            Progress {
                follower,
                position: standing.position(),
                leads: standing.lanes.iter().filter(|lane| lane.leads).count(),
                poison: standing.poison().cloned(),
            }
        };
        self.all().into_iter().map(progress).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, watch::Receiver<Standing>>> {
        // The map is whole at every moment, so a panic elsewhere has not harmed it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sets the gauges of every follower, again and again.
pub(crate) async fn measure(followers: Followers, tail: watch::Receiver<Tail>) {
    let gauges = Gauges::new();
    let mut heads = Heads::default();
    let mut turn = interval(MEASURE_PAUSE);
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let now = turn.tick().await.into_std();
        let head = tail.borrow().reached();
        heads.saw(head, now);
        let progress = followers.progress();
        for progress in &progress {
            gauges.record(progress, head, heads.lag(progress.position, now));
        }
        heads.forget(progress.iter().map(|progress| progress.position).min());
    }
}

/// Since when the log has reached how far, as of each measurement.
///
/// The time of an event itself says nothing here: it is business time, which can be set.
#[derive(Debug, Default)]
pub struct Heads(VecDeque<(i64, Instant)>);

impl Heads {
    /// Takes in how far the log has come by now.
    pub fn saw(&mut self, head: i64, now: Instant) {
        let Self(heads) = self;
        if heads.back().is_none_or(|(last, _)| head > *last) {
            heads.push_back((head, now));
        }
        if heads.len() > HEADS_KEPT {
            heads.pop_front();
        }
    }

    /// For how long there has been something beyond a position.
    #[must_use]
    pub fn lag(&self, position: i64, now: Instant) -> Duration {
        let Self(heads) = self;
        let beyond = heads.partition_point(|(head, _)| *head <= position);
        heads.get(beyond).map_or(Duration::ZERO, |(_, since)| now - *since)
    }

    /// Forgets what lies before a position, beyond which alone is asked from now on.
    pub fn forget(&mut self, passed: Option<i64>) {
        let Self(heads) = self;
        while passed.is_some_and(|passed| heads.len() > 1 && heads[0].0 <= passed) {
            heads.pop_front();
        }
    }
}

/// What is measured of every follower.
struct Gauges {
    lag: Gauge<i64>,
    delay: Gauge<f64>,
    stuck: Gauge<u64>,
    leading: Gauge<u64>,
}

impl Gauges {
    fn new() -> Self {
        let meter = telemetry::meter();
        Self {
            lag: meter
                .i64_gauge("eventlog.follower.lag")
                .with_description("Positions up to the end of the log that the follower has not passed: its events, or a few more.")
                .build(),
            delay: meter
                .f64_gauge("eventlog.follower.delay")
                .with_unit("s")
                .with_description("Time for which there has been an event that the follower has not taken in, at most an hour.")
                .build(),
            stuck: meter
                .u64_gauge("eventlog.follower.stuck")
                .with_description("1 if the follower does not get past an event.")
                .build(),
            leading: meter
                .u64_gauge("eventlog.follower.leading")
                .with_description("Lanes of the follower that this process leads.")
                .build(),
        }
    }

    fn record(&self, progress: &Progress, head: i64, lag: Duration) {
        let follower = [KeyValue::new("follower", progress.follower)];
        self.lag.record((head - progress.position).max(0), &follower);
        self.delay.record(lag.as_secs_f64(), &follower);
        self.stuck.record(progress.poison.is_some().into(), &follower);
        self.leading.record(progress.leads as u64, &follower);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_is_as_old_as_the_oldest_event_that_was_not_taken_in() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut heads = Heads::default();
        for (seconds, head) in [(0, 10), (1, 10), (2, 30), (3, 40)] {
            heads.saw(head, at(seconds));
        }
        let lag = |heads: &Heads, position| heads.lag(position, at(5)).as_secs();
        assert_eq!([9, 10, 29, 30, 39, 40].map(|position| lag(&heads, position)), [5, 3, 3, 2, 2, 0]);
        heads.forget(Some(30));
        assert_eq!([30, 40].map(|position| lag(&heads, position)), [2, 0]);
        heads.forget(None);
        assert_eq!(lag(&heads, 30), 2);
    }

    #[test]
    fn a_follower_stands_where_its_slowest_lane_stands() {
        let lane = |position| LaneStanding { position, ..LaneStanding::default() };
        assert_eq!(Standing { lanes: vec![lane(9), lane(4)] }.position(), 4);
        assert_eq!(Standing::default().position(), 0);
    }
}
