//! A run: an HR system says how its workers stand.

use super::worker::Outcome;

/// The per cent of a source's active workers that a snapshot may turn into leavers unless it says otherwise.
pub const LEAVERS_PERCENT_MAX: i32 = 10;

/// What the absence of a record means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing.
    Delta,
    /// Who is absent has left.
    FullSnapshot,
    /// Nothing: the run collects the single changes of a day.
    Continuous,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Delta, Self::FullSnapshot, Self::Continuous];

    /// Its name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delta => "delta",
            Self::FullSnapshot => "full_snapshot",
            Self::Continuous => "continuous",
        }
    }
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Takes records.
    Open,
    /// Done.
    Committed,
    /// Waits for a person: too many would leave.
    Held,
    /// Given up; nobody became a leaver.
    Aborted,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Committed, Self::Held, Self::Aborted];

    /// Its name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Committed => "committed",
            Self::Held => "held",
            Self::Aborted => "aborted",
        }
    }
}

/// What became of the records of a run; all but the last three add up to what was received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records answered.
    pub received: i64,
    /// Workers first seen.
    pub created: i64,
    /// Workers changed.
    pub updated: i64,
    /// Records equal to what is stored.
    pub unchanged: i64,
    /// Records older than what is stored.
    pub stale: i64,
    /// Records refused.
    pub rejected: i64,
    /// Tombstones applied.
    pub removed: i64,
    /// Records kept until their day.
    pub scheduled: i64,
    /// Different workers that the records were about, once the run has ended.
    pub workers: i64,
    /// Workers who left because a snapshot did not mention them, or would.
    pub left: i64,
    /// Issues found.
    pub issues: i64,
}

impl Counts {
    /// Counts a record.
    pub fn note(&mut self, outcome: Outcome) {
        self.received += 1;
        *match outcome {
            Outcome::Created => &mut self.created,
            Outcome::Updated => &mut self.updated,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Stale => &mut self.stale,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Removed => &mut self.removed,
            Outcome::Scheduled => &mut self.scheduled,
        } += 1;
    }
}

/// Whether so many absent workers are more than a snapshot may turn into leavers.
#[must_use]
pub fn are_too_many(absent: i64, active: i64, percent_max: i32) -> bool {
    i128::from(absent) * 100 > i128::from(active) * i128::from(percent_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_may_leave_and_no_more() {
        assert!(!are_too_many(10, 100, LEAVERS_PERCENT_MAX));
        assert!(are_too_many(11, 100, LEAVERS_PERCENT_MAX));
        assert!(!are_too_many(0, 0, 0));
        assert!(are_too_many(1, 100_000, 0));
        assert!(!are_too_many(100, 100, 100));
    }

    #[test]
    fn every_record_is_counted_once() {
        let outcomes = [
            Outcome::Created,
            Outcome::Updated,
            Outcome::Unchanged,
            Outcome::Stale,
            Outcome::Rejected,
            Outcome::Removed,
            Outcome::Scheduled,
        ];
        let mut counts = Counts::default();
        for outcome in outcomes {
            counts.note(outcome);
        }
        let Counts { received, created, updated, unchanged, stale, rejected, removed, scheduled, .. } =
            counts;
        assert_eq!([created, updated, unchanged, stale, rejected, removed, scheduled], [1; 7]);
        assert_eq!(received, 7);
    }
}
