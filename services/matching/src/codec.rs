//! Events and what they consist of, to protobuf and back; one file per kind of stream.

mod document;
mod inputs;
mod place;
mod repair;
mod run;
mod tandem;

use eventlog::{Corrupt, Recorded};
use identity::{EditionId, Id};
use proto::{api, matching as stored};

pub use document::Document;
pub use inputs::{Kept, Spoilt, freeze, thaw};
pub use place::Place;
pub use repair::Repair;
pub use run::{Run, result_bytes};
pub use tandem::Tandem;

pub(crate) use document::{scoring_rules, scoring_rules_to_proto};
pub(crate) use repair::{price_to_proto, waiting_to_proto};
pub(crate) use run::{certificate_to_proto, proposed_to_proto, unmatched_to_proto, wishes, wishes_to_proto};
pub(crate) use tandem::{need, need_to_proto, points_to_proto};

use crate::domain::pairing::Rule;
use crate::domain::{Pair, Side};

/// Reads the fields of a recorded event, and says which one cannot be read.
pub(crate) struct Fields<'a>(pub(crate) &'a Recorded);

impl Fields<'_> {
    pub(crate) fn id<K>(&self, field: &str, text: &str) -> Result<Id<K>, Corrupt> {
        text.parse().map_err(|_| self.unreadable(field))
    }

    pub(crate) fn optional_id<K>(&self, field: &str, text: &str) -> Result<Option<Id<K>>, Corrupt> {
        if text.is_empty() { Ok(None) } else { self.id(field, text).map(Some) }
    }

    pub(crate) fn some<T>(&self, field: &str, value: Option<T>) -> Result<T, Corrupt> {
        value.ok_or_else(|| self.unreadable(field))
    }

    fn edition(&self, text: &str) -> Result<EditionId, Corrupt> {
        self.id("edition_id", text)
    }

    fn pair(&self, mentor: &str, mentee: &str) -> Result<Pair, Corrupt> {
        Ok(Pair {
            mentor: self.id("mentor_person_id", mentor)?,
            mentee: self.id("mentee_person_id", mentee)?,
        })
    }

    fn unreadable(&self, field: &str) -> Corrupt {
        Corrupt::new(self.0, format!("the field {field} is missing or malformed"))
    }
}

/// None for a side that is not set.
fn side(number: i32) -> Option<Side> {
    match api::Side::try_from(number).ok()? {
        api::Side::Unspecified => None,
        api::Side::Mentor => Some(Side::Mentor),
        api::Side::Mentee => Some(Side::Mentee),
    }
}

fn side_to_proto(side: Option<Side>) -> i32 {
    match side {
        None => api::Side::Unspecified,
        Some(Side::Mentor) => api::Side::Mentor,
        Some(Side::Mentee) => api::Side::Mentee,
    }
    .into()
}

/// None for a number that is no rule's.
fn rule(number: i32) -> Option<Rule> {
    Rule::ALL.into_iter().find(|rule| rule_to_proto(*rule) == number)
}

pub(crate) fn rule_to_proto(rule: Rule) -> i32 {
    use stored::HardRule as Hard;
    match rule {
        Rule::Chain => Hard::Chain,
        Rule::SameSuperior => Hard::SameSuperior,
        Rule::SameDepartment => Hard::SameDepartment,
        Rule::FormerPair => Hard::FormerPair,
        Rule::NeverAgain => Hard::NeverAgain,
        Rule::RefusedBefore => Hard::RefusedBefore,
        Rule::NoCommonLanguage => Hard::NoCommonLanguage,
        Rule::NoCommonTime => Hard::NoCommonTime,
        Rule::Forbidden => Hard::Forbidden,
    }
    .into()
}

pub(crate) fn pair_to_proto(pair: Pair) -> stored::Pair {
    stored::Pair { mentor_person_id: pair.mentor.to_string(), mentee_person_id: pair.mentee.to_string() }
}
