//! What a match run is computed from.

use std::collections::BTreeMap;

use identity::{OrgUnitId, PersonId};

use crate::domain::Pair;
use crate::domain::pairing::Rule;
use crate::domain::scoring::Scoring;
use crate::domain::week::Span;

/// Everything a match run depends on, besides what the programme office locks and forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// The rules of the edition.
    pub rules: Rules,
    /// What a score is made of.
    pub scoring: Scoring,
    /// Executives who took their obligation on and have no tandem, by id.
    pub mentees: Vec<Mentee>,
    /// Accepted mentors with a free place who are not on leave, by id.
    pub mentors: Vec<Mentor>,
    /// Pairs with a past that matters.
    pub past: BTreeMap<Pair, Past>,
}

/// The rules of an edition that decide who may be paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Neither stands within this many levels above the other.
    pub chain_levels: i32,
    /// Whether the two must come from different departments.
    pub other_department: bool,
    /// The length of a session.
    pub session_minutes: i32,
    /// Months of meetings.
    pub months: i32,
}

/// Where a person stands in the organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The person.
    pub person: PersonId,
    /// The superiors, the direct one first.
    pub line: Vec<PersonId>,
    /// The department.
    pub org_unit: OrgUnitId,
}

/// What both sides have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Where the person stands.
    pub standing: Standing,
    /// Languages by BCP 47, best first.
    pub languages: Vec<String>,
    /// When the person can meet, in sampled weeks of the edition; sorted and disjoint.
    pub spans: Vec<Span>,
    /// People of the other side whom the person wished for. They may wish for others in turn: nothing here follows a chain.
    pub wishes: Vec<PersonId>,
}

/// An executive who needs a mentor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mentee {
    /// What both sides have.
    pub participant: Participant,
    /// The topics to be learnt, with how well they are known: 0 never heard of it … 4 could teach it.
    pub needs: BTreeMap<String, i32>,
}

/// Somebody young who offers to teach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mentor {
    /// What both sides have.
    pub participant: Participant,
    /// The topics offered, with how well they are known: 0 never heard of it … 4 could teach it.
    pub offers: BTreeMap<String, i32>,
    /// Free places.
    pub places: u32,
    /// Places that tandems hold or are offered.
    pub taken: u32,
}

/// A past of two people that keeps them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Past {
    /// One of them refused the other in this edition.
    Refused,
    /// They were a tandem before.
    Former,
    /// One of them asked never to be paired with the other again.
    NeverAgain,
}

impl Past {
    /// The hard rule that follows.
    #[must_use]
    pub const fn rule(self) -> Rule {
        match self {
            Self::Refused => Rule::RefusedBefore,
            Self::Former => Rule::FormerPair,
            Self::NeverAgain => Rule::NeverAgain,
        }
    }

    /// The past from which a hard rule follows, if one.
    #[must_use]
    pub fn of(rule: Rule) -> Option<Self> {
        [Self::Refused, Self::Former, Self::NeverAgain].into_iter().find(|past| past.rule() == rule)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use uuid::Uuid;

    use super::*;

    pub(crate) fn person(number: u128) -> PersonId {
        PersonId::from_uuid(Uuid::from_u128(number))
    }

    pub(crate) fn pair(mentor: u128, mentee: u128) -> Pair {
        Pair { mentor: person(mentor), mentee: person(mentee) }
    }

    pub(crate) fn rules() -> Rules {
        Rules { chain_levels: 2, other_department: true, session_minutes: 60, months: 1 }
    }

    fn participant(number: u128, line: &[u128]) -> Participant {
        Participant {
            standing: Standing {
                person: person(number),
                line: line.iter().copied().map(person).collect(),
                org_unit: OrgUnitId::from_uuid(Uuid::from_u128(1_000 + number)),
            },
            languages: vec!["en".to_owned(), "de".to_owned()],
            spans: vec![Span { start: 0, end: 240 }],
            wishes: vec![],
        }
    }

    fn levels(levels: &[(&str, i32)]) -> BTreeMap<String, i32> {
        levels.iter().map(|(topic, level)| ((*topic).to_owned(), *level)).collect()
    }

    pub(crate) fn mentee(number: u128, line: &[u128], needs: &[(&str, i32)]) -> Mentee {
        Mentee { participant: participant(number, line), needs: levels(needs) }
    }

    pub(crate) fn mentor(number: u128, line: &[u128], offers: &[(&str, i32)]) -> Mentor {
        Mentor { participant: participant(number, line), offers: levels(offers), places: 1, taken: 0 }
    }

    /// Executives 1 and 2 below the top 100; mentors 11 and 12 far away from them.
    pub(crate) fn inputs() -> Inputs {
        let (need, offer) = (("hashtags", 0), ("hashtags", 4));
        Inputs {
            rules: rules(),
            scoring: Scoring::default(),
            mentees: vec![mentee(1, &[100], &[need]), mentee(2, &[100], &[need])],
            mentors: vec![
                mentor(11, &[21, 31, 41, 100], &[offer]),
                mentor(12, &[22, 32, 42, 100], &[("hashtags", 2)]),
            ],
            past: BTreeMap::new(),
        }
    }
}
