//! What a match run is computed from, frozen, and the digest by which a change is noticed.

use std::collections::BTreeMap;
use std::fmt::Write;

use identity::{Id, OrgUnitId, PersonId};
use sha2::{Digest, Sha256};

use crate::domain::Pair;
use crate::domain::week::Span;

/// Everything a match run depends on, besides the wishes of the programme office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// The rules of the edition.
    pub rules: Rules,
    /// Executives who took their obligation on and have no tandem, by id.
    pub mentees: Vec<Mentee>,
    /// Accepted mentors with a free place, by id.
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

impl Inputs {
    /// SHA-256 over all of it, hexadecimal.
    ///
    /// The bytes are canonical: numbers have eight bytes, big-endian; texts and lists are preceded by their length; ids have
    /// their sixteen bytes; the fields come in the order in which they are declared.
    #[must_use]
    pub fn digest(&self) -> String {
        let Self { rules, mentees, mentors, past } = self;
        let mut canon = Canon(Sha256::new());
        canon.rules(*rules);
        canon.list(mentees, |canon, Mentee { participant, needs }| {
            canon.participant(participant);
            canon.levels(needs);
        });
        canon.list(mentors, |canon, Mentor { participant, offers, places }| {
            canon.participant(participant);
            canon.levels(offers);
            canon.number(*places);
        });
        canon.list(past, |canon, (pair, past)| {
            canon.id(pair.mentor);
            canon.id(pair.mentee);
            canon.number(match past {
                Past::Refused => 0,
                Past::Former => 1,
                Past::NeverAgain => 2,
            });
        });
        hexadecimal(&canon.0.finalize())
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

struct Canon(Sha256);

impl Canon {
    fn number(&mut self, number: impl Into<i64>) {
        self.0.update(number.into().to_be_bytes());
    }

    fn length(&mut self, length: usize) {
        self.0.update((length as u64).to_be_bytes());
    }

    fn id<K>(&mut self, id: Id<K>) {
        self.0.update(id.uuid().as_bytes());
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.update(text);
    }

    fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        each: impl Fn(&mut Self, T),
    ) {
        let items = items.into_iter();
        self.length(items.len());
        for item in items {
            each(self, item);
        }
    }

    fn levels(&mut self, levels: &BTreeMap<String, i32>) {
        self.list(levels, |canon, (topic, level)| {
            canon.text(topic);
            canon.number(*level);
        });
    }

    fn rules(&mut self, Rules { chain_levels, other_department, session_minutes, months }: Rules) {
        self.number(chain_levels);
        self.number(other_department);
        self.number(session_minutes);
        self.number(months);
    }

    fn participant(&mut self, Participant { standing, languages, spans }: &Participant) {
        let Standing { person, line, org_unit } = standing;
        self.id(*person);
        self.list(line, |canon, superior| canon.id(*superior));
        self.id(*org_unit);
        self.list(languages, |canon, language| canon.text(language));
        self.list(spans, |canon, span| {
            canon.number(span.start);
            canon.number(span.end);
        });
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
        }
    }

    fn levels(levels: &[(&str, i32)]) -> BTreeMap<String, i32> {
        levels.iter().map(|(topic, level)| ((*topic).to_owned(), *level)).collect()
    }

    pub(crate) fn mentee(number: u128, line: &[u128], needs: &[(&str, i32)]) -> Mentee {
        Mentee { participant: participant(number, line), needs: levels(needs) }
    }

    pub(crate) fn mentor(number: u128, line: &[u128], offers: &[(&str, i32)]) -> Mentor {
        Mentor { participant: participant(number, line), offers: levels(offers), places: 1 }
    }

    /// Executives 1 and 2 below the top 100; mentors 11 and 12 far away from them.
    pub(crate) fn inputs() -> Inputs {
        let (need, offer) = (("hashtags", 0), ("hashtags", 4));
        Inputs {
            rules: rules(),
            mentees: vec![mentee(1, &[100], &[need]), mentee(2, &[100], &[need])],
            mentors: vec![
                mentor(11, &[21, 31, 41, 100], &[offer]),
                mentor(12, &[22, 32, 42, 100], &[("hashtags", 2)]),
            ],
            past: BTreeMap::new(),
        }
    }

    #[test]
    fn the_digest_never_changes() {
        // Published runs are checked against it years later.
        let empty = Inputs { rules: rules(), mentees: vec![], mentors: vec![], past: BTreeMap::new() };
        let mut bytes = Vec::new();
        for number in [2_i64, 1, 60, 1, 0, 0, 0] {
            bytes.extend(number.to_be_bytes());
        }
        assert_eq!(empty.digest(), hexadecimal(&Sha256::digest(&bytes)));
        assert_eq!(inputs().digest(), inputs().digest());
    }

    #[test]
    fn whatever_changes_shows_in_the_digest() {
        let changes: [fn(&mut Inputs); 10] = [
            |inputs| inputs.rules.chain_levels = 3,
            |inputs| inputs.rules.other_department = false,
            |inputs| inputs.rules.session_minutes = 61,
            |inputs| drop(inputs.mentees.pop()),
            |inputs| inputs.mentees[0].needs.extend([("podcasts".to_owned(), 0)]),
            |inputs| inputs.mentees[1].participant.standing.line.push(person(5)),
            |inputs| inputs.mentors[0].places = 2,
            |inputs| inputs.mentors[0].participant.languages.swap(0, 1),
            |inputs| inputs.mentors[1].participant.spans[0].end += 1,
            |inputs| inputs.past = [(pair(11, 1), Past::Refused)].into(),
        ];
        let mut digests: Vec<String> = changes
            .iter()
            .map(|change| {
                let mut other = inputs();
                change(&mut other);
                other.digest()
            })
            .chain([inputs().digest()])
            .collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), changes.len() + 1);
    }
}
