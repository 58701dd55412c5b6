use eventlog::{Aggregate, Corrupt, Draft, Recorded};
use proto::matching as stored;

use super::Fields;
use crate::domain::document::{self, Command, Event, Origin, Rejection, State};
use crate::domain::scoring::{Criterion, PerCriterion, Scoring, ScoringRules, Unsound};

/// The streams of scoring rules; each bears the id of its edition.
#[derive(Debug)]
pub enum Document {}

impl Aggregate for Document {
    const KIND: &'static str = "scoring";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
        document::decide(state, command)
    }

    fn evolve(state: &mut State, event: &Event) {
        document::evolve(state, event);
    }

    fn encode(event: &Event) -> Draft {
        let (set_by_person_id, copied_from_edition_id) = match event.origin {
            Origin::Set(by) => (by.to_string(), String::new()),
            Origin::Copied(from) => (String::new(), from.to_string()),
        };
        Draft::of(&stored::ScoringRulesSet {
            edition_id: event.edition.to_string(),
            version: event.scoring.version,
            rules: Some(scoring_rules_to_proto(&event.scoring.rules)),
            set_by_person_id,
            copied_from_edition_id,
        })
    }

    fn decode(event: &Recorded) -> Result<Event, Corrupt> {
        if !event.is::<stored::ScoringRulesSet>() {
            return Err(Corrupt::unknown(event));
        }
        let (it, fields): (stored::ScoringRulesSet, _) = (event.read()?, Fields(event));
        let rules = fields.some("rules", it.rules.and_then(|rules| scoring_rules(&rules).ok()))?;
        let origin = match fields.optional_id("copied_from_edition_id", &it.copied_from_edition_id)? {
            Some(from) => Origin::Copied(from),
            None => Origin::Set(fields.id("set_by_person_id", &it.set_by_person_id)?),
        };
        let scoring = Scoring { version: it.version, rules };
        Ok(Event { edition: fields.edition(&it.edition_id)?, scoring, origin })
    }
}

/// The scoring rules of a message.
///
/// # Errors
/// Everything that is wrong with them.
pub(crate) fn scoring_rules(it: &stored::ScoringRules) -> Result<ScoringRules, Vec<Unsound>> {
    let weights = it.weights.unwrap_or_default();
    let weight = |criterion| match criterion {
        Criterion::Topics => weights.topics,
        Criterion::Availability => weights.availability,
        Criterion::Distance => weights.distance,
        Criterion::Language => weights.language,
        Criterion::MenteeWish => weights.mentee_wish,
        Criterion::MentorWish => weights.mentor_wish,
        Criterion::LoadBalance => weights.load_balance,
    };
    ScoringRules::try_new(PerCriterion(Criterion::ALL.map(weight)), &it.bands)
}

pub(crate) fn scoring_rules_to_proto(rules: &ScoringRules) -> stored::ScoringRules {
    let weight = |criterion| rules.weights().of(criterion);
    let weights = stored::Weights {
        topics: weight(Criterion::Topics),
        availability: weight(Criterion::Availability),
        distance: weight(Criterion::Distance),
        language: weight(Criterion::Language),
        mentee_wish: weight(Criterion::MenteeWish),
        mentor_wish: weight(Criterion::MentorWish),
        load_balance: weight(Criterion::LoadBalance),
    };
    stored::ScoringRules {
        weights: Some(weights),
        bands: rules.bands().iter().copied().map(i32::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use eventlog::rehearsal::{refuses_the_unreadable, round_trip};
    use identity::EditionId;
    use uuid::Uuid;

    use super::*;
    use crate::domain::document::tests::other_rules;
    use crate::domain::inputs::tests::person;

    #[test]
    fn every_event_survives_the_log() {
        let edition = |number| EditionId::from_uuid(Uuid::from_u128(number));
        let scoring = Scoring { version: 2, rules: other_rules() };
        let origins = [Origin::Set(person(50)), Origin::Copied(edition(6))];
        round_trip::<Document>(origins.map(|origin| Event {
            edition: edition(7),
            scoring: scoring.clone(),
            origin,
        }));
        refuses_the_unreadable::<Document, stored::ScoringRulesSet>();
    }
}
