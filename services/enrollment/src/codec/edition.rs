use eventlog::{Aggregate, Corrupt, Draft, Recorded};
use proto::enrollment as stored;

use super::{Fields, id_texts, optional_id_text};
use crate::domain::edition::{self, AgeRule, Change, Command, Created, Event, Rejection, Revised, State};
use crate::domain::rules::{EligibilityRule, ObligationRule, PairingRule, RepairRule, Rules};

/// The streams of editions.
#[derive(Debug)]
pub enum Edition {}

impl Aggregate for Edition {
    const KIND: &'static str = "edition";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
        edition::decide(state, command)
    }

    fn evolve(state: &mut State, event: &Event) {
        edition::evolve(state, event);
    }

    fn encode(event: &Event) -> Draft {
        let edition_id = event.edition.to_string();
        match &event.change {
            Change::Created(created) => Draft::of(&stored::EditionCreated {
                edition_id,
                copied_from_edition_id: optional_id_text(created.copied_from),
                rules: Some(rules_to_proto(&created.rules)),
                sealed_texts: created.sealed_texts.clone(),
            }),
            Change::Revised(revised) => Draft::of(&stored::EditionRevised {
                edition_id,
                rules: Some(rules_to_proto(&revised.rules)),
                sealed_texts: revised.sealed_texts.clone(),
            }),
            Change::AgeRuleProposed(rule, reasons) => Draft::of(&stored::AgeRuleProposed {
                edition_id,
                maximum_age: rule.maximum_age,
                owner_person_id: rule.owner.to_string(),
                expiry_date: rule.expiry_date.to_string(),
                proposed_by_person_id: rule.proposed_by.to_string(),
                sealed_texts: reasons.clone(),
            }),
            Change::AgeRuleReleased(by) => {
                Draft::of(&stored::AgeRuleReleased { edition_id, released_by_person_id: by.to_string() })
            }
            Change::Opened(obliged) => {
                Draft::of(&stored::EditionOpened { edition_id, obliged_count: *obliged })
            }
            Change::MatchingStarted => Draft::of(&stored::MatchingStarted { edition_id }),
            Change::Started => Draft::of(&stored::EditionStarted { edition_id }),
            Change::Completed => Draft::of(&stored::EditionCompleted { edition_id }),
            Change::Archived => Draft::of(&stored::EditionArchived { edition_id }),
        }
    }

    fn decode(event: &Recorded) -> Result<Event, Corrupt> {
        if let Some(decoded) = decode_rules(event)? {
            return Ok(decoded);
        }
        let (edition_id, change) = if event.is::<stored::EditionOpened>() {
            let it: stored::EditionOpened = event.read()?;
            (it.edition_id, Change::Opened(it.obliged_count))
        } else if event.is::<stored::MatchingStarted>() {
            (event.read::<stored::MatchingStarted>()?.edition_id, Change::MatchingStarted)
        } else if event.is::<stored::EditionStarted>() {
            (event.read::<stored::EditionStarted>()?.edition_id, Change::Started)
        } else if event.is::<stored::EditionCompleted>() {
            (event.read::<stored::EditionCompleted>()?.edition_id, Change::Completed)
        } else if event.is::<stored::EditionArchived>() {
            (event.read::<stored::EditionArchived>()?.edition_id, Change::Archived)
        } else {
            return Err(Corrupt::unknown(event));
        };
        Ok(Event { edition: Fields(event).id("edition_id", &edition_id)?, change })
    }
}

/// The events that carry rules; none for those that lead the edition through its life.
fn decode_rules(event: &Recorded) -> Result<Option<Event>, Corrupt> {
    let fields = Fields(event);
    let (edition_id, change) = if event.is::<stored::EditionCreated>() {
        let it: stored::EditionCreated = event.read()?;
        let created = Created {
            edition: fields.id("edition_id", &it.edition_id)?,
            copied_from: fields.optional_id("copied_from_edition_id", &it.copied_from_edition_id)?,
            rules: rules(&fields, it.rules)?,
            sealed_texts: it.sealed_texts,
        };
        (it.edition_id, Change::Created(Box::new(created)))
    } else if event.is::<stored::EditionRevised>() {
        let it: stored::EditionRevised = event.read()?;
        let revised = Revised { rules: rules(&fields, it.rules)?, sealed_texts: it.sealed_texts };
        (it.edition_id, Change::Revised(Box::new(revised)))
    } else if event.is::<stored::AgeRuleProposed>() {
        let it: stored::AgeRuleProposed = event.read()?;
        let rule = AgeRule {
            maximum_age: it.maximum_age,
            owner: fields.id("owner_person_id", &it.owner_person_id)?,
            expiry_date: fields.date("expiry_date", &it.expiry_date)?,
            proposed_by: fields.id("proposed_by_person_id", &it.proposed_by_person_id)?,
        };
        (it.edition_id, Change::AgeRuleProposed(rule, it.sealed_texts))
    } else if event.is::<stored::AgeRuleReleased>() {
        let it: stored::AgeRuleReleased = event.read()?;
        let by = fields.id("released_by_person_id", &it.released_by_person_id)?;
        (it.edition_id, Change::AgeRuleReleased(by))
    } else {
        return Ok(None);
    };
    Ok(Some(Event { edition: fields.id("edition_id", &edition_id)?, change }))
}

fn rules(fields: &Fields, message: Option<stored::EditionRules>) -> Result<Rules, Corrupt> {
    let it = fields.some("rules", message)?;
    let obligation = fields.some("obligation_rule", it.obligation_rule)?;
    let eligibility = fields.some("eligibility_rule", it.eligibility_rule)?;
    let pairing = fields.some("pairing_rule", it.pairing_rule)?;
    Ok(Rules {
        reference_date: fields.date("reference_date", &it.reference_date)?,
        start_date: fields.date("start_date", &it.start_date)?,
        months: it.months,
        session_minutes: it.session_minutes,
        obligation: ObligationRule {
            max_level: obligation.max_level,
            leaders_only: obligation.leaders_only,
            included: fields.ids("included_person_ids", &obligation.included_person_ids)?,
            excluded: fields.ids("excluded_person_ids", &obligation.excluded_person_ids)?,
        },
        eligibility: eligibility_rule(eligibility),
        pairing: pairing_rule(pairing),
        repair: repair_rule(it.repair_rule.unwrap_or_default()),
        topics: it.topic_ids,
        mentor_capacity_max: it.mentor_capacity_max,
        answer_working_days: it.answer_working_days,
        acknowledge_days: it.acknowledge_days,
        anonymity_k: it.anonymity_k,
        time_zone: it.time_zone,
        working_days: it.region.parse().map_err(|_| fields.unreadable("region"))?,
    })
}

fn rules_to_proto(rules: &Rules) -> stored::EditionRules {
    stored::EditionRules {
        reference_date: rules.reference_date.to_string(),
        start_date: rules.start_date.to_string(),
        months: rules.months,
        session_minutes: rules.session_minutes,
        obligation_rule: Some(obligation_rule_to_proto(&rules.obligation)),
        eligibility_rule: Some(eligibility_rule_to_proto(rules.eligibility)),
        pairing_rule: Some(pairing_rule_to_proto(rules.pairing)),
        repair_rule: Some(repair_rule_to_proto(rules.repair)),
        topic_ids: rules.topics.clone(),
        mentor_capacity_max: rules.mentor_capacity_max,
        answer_working_days: rules.answer_working_days,
        acknowledge_days: rules.acknowledge_days,
        anonymity_k: rules.anonymity_k,
        time_zone: rules.time_zone.clone(),
        region: rules.working_days.to_string(),
    }
}

pub(crate) fn obligation_rule_to_proto(rule: &ObligationRule) -> stored::ObligationRule {
    stored::ObligationRule {
        max_level: rule.max_level,
        leaders_only: rule.leaders_only,
        included_person_ids: id_texts(&rule.included),
        excluded_person_ids: id_texts(&rule.excluded),
    }
}

pub(crate) fn eligibility_rule(message: stored::EligibilityRule) -> EligibilityRule {
    EligibilityRule { tenure_months_min: message.tenure_months_min, level_min: message.level_min }
}

pub(crate) fn eligibility_rule_to_proto(rule: EligibilityRule) -> stored::EligibilityRule {
    stored::EligibilityRule { tenure_months_min: rule.tenure_months_min, level_min: rule.level_min }
}

pub(crate) fn pairing_rule(message: stored::PairingRule) -> PairingRule {
    PairingRule { chain_levels: message.chain_levels, other_department: message.other_department }
}

pub(crate) fn pairing_rule_to_proto(rule: PairingRule) -> stored::PairingRule {
    stored::PairingRule { chain_levels: rule.chain_levels, other_department: rule.other_department }
}

/// Offers of others that may be moved where the office has not said: with none, most of those left over would stay so.
const MOVES_MAX: i32 = 1;

pub(crate) fn repair_rule(message: stored::RepairRule) -> RepairRule {
    RepairRule { by_hand: message.by_hand, moves_max: message.moves_max.unwrap_or(MOVES_MAX) }
}

pub(crate) fn repair_rule_to_proto(rule: RepairRule) -> stored::RepairRule {
    stored::RepairRule { by_hand: rule.by_hand, moves_max: Some(rule.moves_max) }
}

#[cfg(test)]
mod tests {
    use identity::{EditionId, PersonId};
    use jiff::civil::date;
    use workdays::WorkingDays;

    use super::*;
    use crate::domain::rules::tests::rules;
    use eventlog::rehearsal::{refuses_the_unreadable, round_trip};

    #[test]
    fn every_event_of_an_edition_comes_back_as_it_was() {
        let edition = EditionId::mint();
        let created = |copied_from| {
            Change::Created(Box::new(Created { edition, copied_from, rules: rules(), sealed_texts: vec![1] }))
        };
        let mut listed = rules();
        listed.obligation.max_level = None;
        listed.repair = RepairRule { by_hand: true, moves_max: 0 };
        listed.working_days = WorkingDays::default();
        let rule = AgeRule {
            maximum_age: 28,
            owner: PersonId::mint(),
            expiry_date: date(2014, 12, 31),
            proposed_by: PersonId::mint(),
        };
        let changes = [
            created(None),
            created(Some(EditionId::mint())),
            Change::Revised(Box::new(Revised { rules: listed, sealed_texts: vec![2] })),
            Change::AgeRuleProposed(rule, vec![3]),
            Change::AgeRuleReleased(PersonId::mint()),
            Change::Opened(20),
            Change::MatchingStarted,
            Change::Started,
            Change::Completed,
            Change::Archived,
        ];
        round_trip::<Edition>(changes.map(|change| Event { edition, change }));
    }

    #[test]
    fn an_edition_from_before_the_rule_of_repairs_has_its_defaults() {
        let default = RepairRule { by_hand: false, moves_max: 1 };
        assert_eq!(repair_rule(stored::RepairRule::default()), default);
    }

    #[test]
    fn an_event_that_cannot_be_read_is_reported() {
        refuses_the_unreadable::<Edition, stored::EditionCreated>();
    }
}
