//! What has changed between the inputs of a run and what is known now.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use identity::PersonId;

use crate::domain::Pair;
use crate::domain::inputs::{Inputs, Mentee, Mentor, Participant};

/// Something that has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What.
    pub kind: Kind,
    /// Of whom or of what.
    pub subject: Subject,
}

/// Whom or what a change concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The edition.
    Edition,
    /// A person.
    Person(PersonId),
    /// Two people.
    Pair(Pair),
}

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The rules that decide who may be paired.
    PairingRules,
    /// The scoring rules.
    ScoringRules,
    /// The inputs of the run are not kept, or not readable any more.
    NotKept,
    /// An executive has come to need a mentor.
    MenteeAdded,
    /// An executive does not need a mentor any more.
    MenteeGone,
    /// A mentor has come or come back, or has a place again.
    MentorAdded,
    /// A mentor has gone, is on leave, or has no place any more.
    MentorGone,
    /// The place in the organisation.
    Organisation,
    /// When the person can meet, or in which languages.
    Availability,
    /// What is needed or offered.
    Topics,
    /// Whom the person wishes for.
    Wishes,
    /// A mentor's places.
    Places,
    /// What the two have behind them.
    Past,
}

impl Kind {
    /// The kind for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PairingRules => "PAIRING_RULES",
            Self::ScoringRules => "SCORING_RULES",
            Self::NotKept => "INPUTS_NOT_KEPT",
            Self::MenteeAdded => "MENTEE_ADDED",
            Self::MenteeGone => "MENTEE_GONE",
            Self::MentorAdded => "MENTOR_ADDED",
            Self::MentorGone => "MENTOR_GONE",
            Self::Organisation => "ORGANISATION",
            Self::Availability => "AVAILABILITY",
            Self::Topics => "TOPICS",
            Self::Wishes => "WISHES",
            Self::Places => "PLACES",
            Self::Past => "PAST",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::PairingRules => "the rules that decide who may be paired have changed",
            Self::ScoringRules => "the scoring rules have changed",
            Self::NotKept => "what the run was computed from is not kept",
            Self::MenteeAdded => "this executive needs a mentor now",
            Self::MenteeGone => "this executive needs no mentor any more",
            Self::MentorAdded => "this mentor has a free place now and is not on leave",
            Self::MentorGone => "this mentor has no free place any more or is on leave",
            Self::Organisation => "this person has another place in the organisation",
            Self::Availability => "this person can meet at other times or in other languages",
            Self::Topics => "this person needs or offers other topics",
            Self::Wishes => "this person wishes for others",
            Self::Places => "this mentor has other places",
            Self::Past => "something has come between these two, or it counts no more",
        })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edition => formatter.write_str("edition"),
            Self::Person(person) => person.fmt(formatter),
            Self::Pair(Pair { mentor, mentee }) => write!(formatter, "{mentor} {mentee}"),
        }
    }
}

/// Everything that has changed: the rules first, then the executives, the mentors and the pairs.
#[must_use]
pub fn between(then: &Inputs, now: &Inputs) -> Vec<Difference> {
    let of_edition = [
        (then.rules != now.rules).then_some(Kind::PairingRules),
        (then.scoring != now.scoring).then_some(Kind::ScoringRules),
    ];
    let of_edition = of_edition.into_iter().flatten();
    let of_edition = of_edition.map(|kind| Difference { kind, subject: Subject::Edition });
    let (had, has) = ((mentees(then), mentors(then)), (mentees(now), mentors(now)));
    let of_mentees = people(&had.0, &has.0, Kind::MenteeAdded, Kind::MenteeGone);
    let of_mentors = people(&had.1, &has.1, Kind::MentorAdded, Kind::MentorGone);
    // Of those who have come or gone, the past is no news.
    let stayed = |pair: &&Pair| {
        had.0.contains_key(&pair.mentee)
            && has.0.contains_key(&pair.mentee)
            && had.1.contains_key(&pair.mentor)
            && has.1.contains_key(&pair.mentor)
    };
    let pairs: BTreeSet<&Pair> = then.past.keys().chain(now.past.keys()).collect();
    let changed = pairs.into_iter().filter(|pair| then.past.get(pair) != now.past.get(pair)).filter(stayed);
    let of_pairs = changed.map(|pair| Difference { kind: Kind::Past, subject: Subject::Pair(*pair) });
    of_edition.chain(of_mentees).chain(of_mentors).chain(of_pairs).collect()
}

/// What is compared of somebody on either side: the participant, the topics, the places that are free and taken.
#[derive(Clone, Copy)]
struct Known<'a>(&'a Participant, &'a BTreeMap<String, i32>, (u32, u32));

fn mentees(inputs: &Inputs) -> BTreeMap<PersonId, Known<'_>> {
    let known = |mentee: &'_ Mentee| mentee.participant.standing.person;
    inputs
        .mentees
        .iter()
        .map(|mentee| (known(mentee), Known(&mentee.participant, &mentee.needs, (1, 0))))
        .collect()
}

fn mentors(inputs: &Inputs) -> BTreeMap<PersonId, Known<'_>> {
    let known = |mentor: &'_ Mentor| mentor.participant.standing.person;
    let places = |mentor: &Mentor| (mentor.places, mentor.taken);
    inputs
        .mentors
        .iter()
        .map(|mentor| (known(mentor), Known(&mentor.participant, &mentor.offers, places(mentor))))
        .collect()
}

fn people(
    then: &BTreeMap<PersonId, Known<'_>>,
    now: &BTreeMap<PersonId, Known<'_>>,
    added: Kind,
    gone: Kind,
) -> Vec<Difference> {
    let everybody: BTreeSet<&PersonId> = then.keys().chain(now.keys()).collect();
    let of_person = |person: &PersonId| match (then.get(person), now.get(person)) {
        (None, _) => vec![added],
        (_, None) => vec![gone],
        (Some(then), Some(now)) => changes(*then, *now).collect(),
    };
    let differences = |person: &PersonId| {
        let subject = Subject::Person(*person);
        of_person(person).into_iter().map(move |kind| Difference { kind, subject })
    };
    everybody.into_iter().flat_map(differences).collect()
}

fn changes(then: Known<'_>, now: Known<'_>) -> impl Iterator<Item = Kind> {
    let when = (&then.0.languages, &then.0.spans) != (&now.0.languages, &now.0.spans);
    [
        (then.0.standing != now.0.standing).then_some(Kind::Organisation),
        when.then_some(Kind::Availability),
        (then.1 != now.1).then_some(Kind::Topics),
        (then.0.wishes != now.0.wishes).then_some(Kind::Wishes),
        (then.2 != now.2).then_some(Kind::Places),
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::inputs::Past;
    use crate::domain::inputs::tests::{inputs, mentee, pair, person};

    type Change = fn(&mut Inputs);

    fn after(change: impl FnOnce(&mut Inputs)) -> Vec<(Kind, Subject)> {
        let mut now = inputs();
        change(&mut now);
        between(&inputs(), &now).into_iter().map(|difference| (difference.kind, difference.subject)).collect()
    }

    #[test]
    fn nothing_has_changed_where_nothing_has() {
        assert_eq!(between(&inputs(), &inputs()), []);
    }

    #[test]
    fn whatever_has_changed_is_named_with_whom_it_concerns() {
        let (edition, one, mentor) =
            (Subject::Edition, Subject::Person(person(1)), Subject::Person(person(11)));
        let changes: [(Change, Kind, Subject); 12] = [
            (|now| now.rules.chain_levels = 3, Kind::PairingRules, edition),
            (|now| now.scoring.version = 1, Kind::ScoringRules, edition),
            (|now| now.mentees.push(mentee(3, &[], &[])), Kind::MenteeAdded, Subject::Person(person(3))),
            (|now| drop(now.mentees.remove(0)), Kind::MenteeGone, one),
            (|now| drop(now.mentors.remove(0)), Kind::MentorGone, mentor),
            (|now| now.mentees[0].participant.standing.line.push(person(5)), Kind::Organisation, one),
            (|now| now.mentees[0].participant.languages.swap(0, 1), Kind::Availability, one),
            (|now| now.mentors[0].participant.spans[0].end += 1, Kind::Availability, mentor),
            (|now| now.mentees[0].needs.clear(), Kind::Topics, one),
            (|now| now.mentors[0].participant.wishes.push(person(1)), Kind::Wishes, mentor),
            (|now| now.mentors[0].taken = 1, Kind::Places, mentor),
            (|now| now.past = [(pair(11, 1), Past::Refused)].into(), Kind::Past, Subject::Pair(pair(11, 1))),
        ];
        for (change, kind, subject) in changes {
            assert_eq!(after(change), [(kind, subject)]);
        }
    }

    #[test]
    fn whoever_is_gone_has_no_other_news() {
        let gone = after(|now| {
            now.mentees.remove(0);
            now.past = [(pair(11, 1), Past::Former)].into();
        });
        assert_eq!(gone, [(Kind::MenteeGone, Subject::Person(person(1)))]);
    }
}
