//! The rules of this service: pure functions from a state and a command to events.
//!
//! Reading order: `week` and `inputs` (what is known of the people), `scoring` and `pairing` (what a score is made of, who may
//! be paired, and how well two fit), `matrix` and `frozen` (every pair judged once), `computation`, `solution` and `certificate`
//! (the best set of tandems and its proof), `outcome`, `explanation` and `comparison` (why, why not, and what else would cost),
//! `difference` (what has changed since), `document`, `run`, `tandem` and `place` (what can happen).

pub mod certificate;
pub mod comparison;
pub mod computation;
pub mod difference;
pub mod document;
pub mod explanation;
pub mod frozen;
pub mod inputs;
pub mod matrix;
pub mod outcome;
pub mod pairing;
pub mod place;
pub mod run;
pub mod scoring;
pub mod solution;
pub mod tandem;
pub mod week;

use std::fmt;

use identity::PersonId;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use self::scoring::Criterion;

/// A mentor and a mentee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The young employee who teaches.
    pub mentor: PersonId,
    /// The executive who learns.
    pub mentee: PersonId,
}

impl Pair {
    /// The side on which a person stands, if on any.
    #[must_use]
    pub fn side_of(&self, person: PersonId) -> Option<Side> {
        match person {
            _ if person == self.mentor => Some(Side::Mentor),
            _ if person == self.mentee => Some(Side::Mentee),
            _ => None,
        }
    }
}

/// A side of a tandem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The young employee who teaches.
    Mentor,
    /// The executive who learns.
    Mentee,
}

impl Side {
    /// The wish that this side is not told of: the partner's.
    #[must_use]
    pub const fn hidden_wish(self) -> Criterion {
        match self {
            Self::Mentor => Criterion::MenteeWish,
            Self::Mentee => Criterion::MentorWish,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Mentor => "mentor",
            Self::Mentee => "mentee",
        })
    }
}

/// Where an edition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Being set up.
    Draft,
    /// Takes applications.
    Open,
    /// Finds the tandems.
    Matching,
    /// The tandems meet.
    Running,
    /// The meetings are over.
    Completed,
    /// Closed.
    Archived,
}

impl Phase {
    /// Every phase, in the order in which they follow each other.
    pub const ALL: [Self; 6] =
        [Self::Draft, Self::Open, Self::Matching, Self::Running, Self::Completed, Self::Archived];

    /// The phase as it is stored and said.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Matching => "matching",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Archived => "archived",
        }
    }

    /// Whether tandems are formed: at first, and again when some have ended early.
    #[must_use]
    pub const fn forms_tandems(self) -> bool {
        matches!(self, Self::Matching | Self::Running)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The end of the day, in this zone, so many working days after now.
#[must_use]
pub fn end_of_working_days(now: Timestamp, working_days: i32, zone: &TimeZone) -> Timestamp {
    let last = working_days_after(zone.to_datetime(now).date(), working_days);
    let midnight = DateTime::from(last.saturating_add(1.day()));
    // Only at the end of the calendar there is no such instant.
    zone.to_timestamp(midnight).unwrap_or(Timestamp::MAX)
}

/// The day so many working days, Monday to Friday, after another.
fn working_days_after(day: Date, working_days: i32) -> Date {
    let mut last = day;
    let mut left = working_days;
    // The calendar has an end, and there the time ends as well.
    while left > 0 && last < Date::MAX {
        last = last.saturating_add(1.day());
        if !matches!(last.weekday(), Weekday::Saturday | Weekday::Sunday) {
            left -= 1;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_weekend_is_no_time_to_answer() {
        let friday = date(2013, 9, 6);
        assert_eq!(working_days_after(friday, 3), date(2013, 9, 11));
        assert_eq!(working_days_after(date(2013, 9, 7), 1), date(2013, 9, 9));
        assert_eq!(working_days_after(friday, 0), friday);
        assert_eq!(working_days_after(Date::MAX, 3), Date::MAX);
    }

    #[test]
    fn the_time_to_answer_ends_with_a_day_where_the_edition_is() {
        let (berlin, friday_night) = (TimeZone::get("Europe/Berlin").unwrap(), "2013-09-06T23:30:00Z");
        let end = end_of_working_days(friday_night.parse().unwrap(), 3, &berlin);
        assert_eq!(end, "2013-09-11T22:00:00Z".parse().unwrap());
    }

    #[test]
    fn a_person_stands_on_one_side_or_none() {
        let person = |number| PersonId::from_uuid(Uuid::from_u128(number));
        let pair = Pair { mentor: person(1), mentee: person(2) };
        assert_eq!(pair.side_of(person(1)), Some(Side::Mentor));
        assert_eq!(pair.side_of(person(2)), Some(Side::Mentee));
        assert_eq!(pair.side_of(person(3)), None);
    }
}
