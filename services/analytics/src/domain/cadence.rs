//! The cadence grid: what happened in each tandem and month.

use jiff::Timestamp;

/// What happened in one month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// To come.
    Planned,
    /// Met.
    Held,
    /// Cancelled by the mentor.
    CancelledByMentor,
    /// Cancelled by the mentee.
    CancelledByMentee,
    /// The mentor did not come.
    MissedByMentor,
    /// The mentee did not come.
    MissedByMentee,
    /// An approved absence.
    Excused,
    /// The tandem had ended.
    Ended,
    /// The time is past and nothing was recorded.
    Open,
    /// No session was planned.
    None,
}

impl Outcome {
    /// Reads a stored session; `None` if the words are none of ours.
    #[must_use]
    pub fn of(state: &str, side: &str, start: Timestamp, now: Timestamp) -> Option<Self> {
        Some(match (state, side) {
            ("planned", _) if start <= now => Self::Open,
            ("planned", _) => Self::Planned,
            ("held", _) => Self::Held,
            ("cancelled", "mentor") => Self::CancelledByMentor,
            ("cancelled", "mentee") => Self::CancelledByMentee,
            ("missed", "mentor") => Self::MissedByMentor,
            ("missed", "mentee") => Self::MissedByMentee,
            ("excused", _) => Self::Excused,
            ("ended", _) => Self::Ended,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planned_session_is_open_once_its_time_is_past() {
        let start: Timestamp = "2013-10-10T09:00:00Z".parse().unwrap();
        let later: Timestamp = "2013-10-10T09:00:01Z".parse().unwrap();
        assert_eq!(Outcome::of("planned", "", later, start), Some(Outcome::Planned));
        assert_eq!(Outcome::of("planned", "", start, later), Some(Outcome::Open));
    }

    #[test]
    fn words_that_are_none_of_ours_are_not_guessed_at() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(Outcome::of("cancelled", "", now, now), None);
    }
}
