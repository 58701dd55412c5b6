//! The settings of an edition: rules in the open, texts to be sealed.

use boot::unavailable;
use identity::PersonId;
use prost::Message;
use proto::enrollment as api;
use tonic::Status;
use workdays::{UnknownRegion, WorkingDays};

use crate::codec::{self, optional_id_text};
use crate::domain::edition::Phase;
use crate::domain::rules::{ObligationRule, Rules};
use crate::grpc::{check_zone, date, id, violation};
use crate::views::editions::{AgeRuleRow, EditionRow};

/// The rules that settings contain, and their texts as they are to be sealed.
pub(super) fn read(settings: api::EditionSettings) -> Result<(Rules, Vec<u8>), Status> {
    check_zone("settings.time_zone", &settings.time_zone)?;
    let obliging = settings.obligation_rule.unwrap_or_default();
    let rules = Rules {
        reference_date: date("settings.reference_date", &settings.reference_date)?,
        start_date: date("settings.start_date", &settings.start_date)?,
        months: settings.months,
        session_minutes: settings.session_minutes,
        obligation: ObligationRule {
            max_level: obliging.max_level,
            leaders_only: obliging.leaders_only,
            included: people("settings.obligation_rule.included_person_ids", &obliging.included_person_ids)?,
            excluded: people("settings.obligation_rule.excluded_person_ids", &obliging.excluded_person_ids)?,
        },
        eligibility: codec::eligibility_rule(settings.eligibility_rule.unwrap_or_default()),
        pairing: codec::pairing_rule(settings.pairing_rule.unwrap_or_default()),
        repair: codec::repair_rule(settings.repair_rule.unwrap_or_default()),
        topics: settings.topics.iter().map(|topic| topic.topic_id.clone()).collect(),
        mentor_capacity_max: settings.mentor_capacity_max,
        answer_working_days: settings.answer_working_days,
        acknowledge_days: settings.acknowledge_days,
        anonymity_k: settings.anonymity_k,
        time_zone: settings.time_zone,
        working_days: working_days("settings.region", &settings.region)?,
    };
    let topic_titles = settings.topics.into_iter().map(|topic| (topic.topic_id, topic.title)).collect();
    let texts = api::EditionTexts { name: settings.name, topic_titles };
    Ok((rules, texts.encode_to_vec()))
}

fn working_days(field: &str, region: &str) -> Result<WorkingDays, Status> {
    region.parse().map_err(|unknown: UnknownRegion| violation(field, "REGION", &unknown.to_string()))
}

fn people(field: &str, texts: &[String]) -> Result<Vec<PersonId>, Status> {
    texts.iter().map(|text| id(field, text)).collect()
}

/// The reasons of an age rule as they are to be sealed.
pub(super) fn reasons(rule: api::AgeRule) -> Vec<u8> {
    let api::AgeRule { aim, necessity, works_council_reference, .. } = rule;
    api::AgeRuleTexts { aim, necessity, works_council_reference }.encode_to_vec()
}

/// An edition with its opened texts.
pub(super) fn shown(row: &EditionRow, texts: &[u8], reasons: &[u8]) -> Result<api::Edition, Status> {
    let texts = api::EditionTexts::decode(texts).map_err(unavailable)?;
    let reasons = api::AgeRuleTexts::decode(reasons).map_err(unavailable)?;
    Ok(api::Edition {
        edition_id: row.edition.to_string(),
        phase: phase(row.phase).into(),
        settings: Some(settings(&row.rules, &texts)),
        age_rule: row.age_rule.as_ref().map(|kept| age_rule(kept, reasons)),
        copied_from_edition_id: optional_id_text(row.copied_from),
        obliged_count: row.obliged_count,
        etag: row.version.to_string(),
    })
}

fn settings(rules: &Rules, texts: &api::EditionTexts) -> api::EditionSettings {
    let topic = |topic_id: &String| api::Topic {
        topic_id: topic_id.clone(),
        title: texts.topic_titles.get(topic_id).cloned().unwrap_or_default(),
    };
    api::EditionSettings {
        name: texts.name.clone(),
        reference_date: rules.reference_date.to_string(),
        start_date: rules.start_date.to_string(),
        months: rules.months,
        session_minutes: rules.session_minutes,
        obligation_rule: Some(codec::obligation_rule_to_proto(&rules.obligation)),
        eligibility_rule: Some(codec::eligibility_rule_to_proto(rules.eligibility)),
        pairing_rule: Some(codec::pairing_rule_to_proto(rules.pairing)),
        repair_rule: Some(codec::repair_rule_to_proto(rules.repair)),
        topics: rules.topics.iter().map(topic).collect(),
        mentor_capacity_max: rules.mentor_capacity_max,
        answer_working_days: rules.answer_working_days,
        acknowledge_days: rules.acknowledge_days,
        anonymity_k: rules.anonymity_k,
        time_zone: rules.time_zone.clone(),
        region: rules.working_days.to_string(),
    }
}

fn age_rule(kept: &AgeRuleRow, texts: api::AgeRuleTexts) -> api::AgeRule {
    api::AgeRule {
        maximum_age: kept.rule.maximum_age,
        aim: texts.aim,
        necessity: texts.necessity,
        owner_person_id: kept.rule.owner.to_string(),
        works_council_reference: texts.works_council_reference,
        expiry_date: kept.rule.expiry_date.to_string(),
        released: kept.released,
    }
}

fn phase(phase: Phase) -> api::edition::Phase {
    match phase {
        Phase::Draft => api::edition::Phase::Draft,
        Phase::Open => api::edition::Phase::Open,
        Phase::Matching => api::edition::Phase::Matching,
        Phase::Running => api::edition::Phase::Running,
        Phase::Completed => api::edition::Phase::Completed,
        Phase::Archived => api::edition::Phase::Archived,
    }
}
