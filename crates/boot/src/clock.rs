//! The one source of business time, so that a whole year can be played in seconds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{Timestamp, Unit};

/// A clock that follows the system or is set by hand; clones share one time.
///
/// Its times have whole microseconds, as Postgres keeps them, and never run backwards.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Mutex<Hand>>);

#[derive(Debug)]
struct Hand {
    manual: bool,
    /// No time before this one is ever told.
    floor: Timestamp,
}

/// The clock was asked to go back to a time that has passed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the clock stands at {now} and cannot go back to {asked}")]
pub struct Backwards {
    /// The time the clock shows.
    pub now: Timestamp,
    /// The time it was asked to show.
    pub asked: Timestamp,
}

impl Clock {
    /// A clock that follows the system.
    #[must_use]
    pub fn system() -> Self {
        Self::starting(false, Timestamp::MIN)
    }

    /// A clock that stands at `start` until it is set or resumed.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self::starting(true, start)
    }

    /// The time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.hand().read()
    }

    /// Whether the clock stands still until it is set.
    #[must_use]
    pub fn is_manual(&self) -> bool {
        self.hand().manual
    }

    /// Stops the clock at `time`, which must not have passed.
    ///
    /// # Errors
    /// [`Backwards`] if the clock already shows a later time.
    pub fn set(&self, time: Timestamp) -> Result<(), Backwards> {
        let asked = whole_microseconds(time);
        let mut hand = self.hand();
        let now = hand.read();
        if asked < now {
            return Err(Backwards { now, asked });
        }
        *hand = Hand { manual: true, floor: asked };
        Ok(())
    }

    /// Lets the clock follow the system again, once that has caught up with it.
    pub fn resume(&self) {
        self.hand().manual = false;
    }

    fn starting(manual: bool, floor: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Hand { manual, floor: whole_microseconds(floor) })))
    }

    fn hand(&self) -> MutexGuard<'_, Hand> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hand {
    fn read(&self) -> Timestamp {
        if self.manual { self.floor } else { self.floor.max(system_time()) }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the place where the system's clock is read")]
fn system_time() -> Timestamp {
    whole_microseconds(Timestamp::now())
}

/// Cuts what Postgres would not keep, so that a stored time compares equal to the one that was told.
fn whole_microseconds(time: Timestamp) -> Timestamp {
    let rounding = jiff::TimestampRound::new().smallest(Unit::Microsecond).mode(jiff::RoundMode::Trunc);
    time.round(rounding).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_manual_clock_stands_until_it_is_set_and_its_clones_follow() {
        let clock = Clock::manual(at("2013-09-01T00:00:00Z"));
        let same = clock.clone();
        assert_eq!(clock.now(), at("2013-09-01T00:00:00Z"));
        clock.set(at("2013-10-01T00:00:00Z")).unwrap();
        assert_eq!(same.now(), at("2013-10-01T00:00:00Z"));
    }

    #[test]
    fn a_clock_cannot_be_set_back() {
        let clock = Clock::manual(at("2013-09-01T00:00:00Z"));
        let refused = clock.set(at("2013-08-31T00:00:00Z")).unwrap_err();
        assert_eq!(refused.now, at("2013-09-01T00:00:00Z"));
        assert!(Clock::system().set(at("2013-09-01T00:00:00Z")).is_err());
    }

    #[test]
    fn a_resumed_clock_follows_the_system_but_not_into_the_past() {
        let clock = Clock::manual(at("2013-09-01T00:00:00Z"));
        clock.resume();
        assert!(clock.now() > at("2024-01-01T00:00:00Z"));
        clock.set(at("2999-01-01T00:00:00Z")).unwrap();
        clock.resume();
        assert_eq!(clock.now(), at("2999-01-01T00:00:00Z"));
    }

    #[test]
    fn times_have_whole_microseconds_as_postgres_keeps_them() {
        let clock = Clock::manual(at("2013-09-01T00:00:00.123456789Z"));
        assert_eq!(clock.now(), at("2013-09-01T00:00:00.123456Z"));
        assert_eq!(Clock::system().now().as_nanosecond() % 1000, 0);
    }
}
