//! The rules of this service: pure functions from a state and a command to events.
//!
//! Reading order: `week` and `inputs` (what is known of the people), `scoring` and `pairing` (what a score is made of, who may
//! be paired, and how well two fit), `matrix` and `frozen` (every pair judged once), `computation`, `solution` and `certificate`
//! (the best set of tandems and its proof), `standing` (what other wishes lead to), `outcome`, `explanation` and `comparison` (why, why not, and what else would cost),
//! `difference` (what has changed since), `frontier` (how somebody who is left over is served with as few moves as possible) and
//! `round` (all who are, one after the other), `document`, `run`, `tandem`, `place` and `repair` (what can happen).

pub mod certificate;
pub mod comparison;
pub mod computation;
pub mod difference;
pub mod document;
pub mod explanation;
pub mod frontier;
pub mod frozen;
pub mod inputs;
pub mod matrix;
pub mod outcome;
pub mod pairing;
pub mod place;
pub mod repair;
pub mod round;
pub mod run;
pub mod scoring;
pub mod solution;
pub mod standing;
pub mod tandem;
pub mod week;

use std::fmt;

use identity::PersonId;

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

    /// The bytes that tell it from every other pair, for ids that are derived from it.
    fn name(self) -> Vec<u8> {
        [self.mentor, self.mentee].iter().flat_map(|person| person.uuid().into_bytes()).collect()
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_person_stands_on_one_side_or_none() {
        let person = |number| PersonId::from_uuid(Uuid::from_u128(number));
        let pair = Pair { mentor: person(1), mentee: person(2) };
        assert_eq!(pair.side_of(person(1)), Some(Side::Mentor));
        assert_eq!(pair.side_of(person(2)), Some(Side::Mentee));
        assert_eq!(pair.side_of(person(3)), None);
    }
}
