//! What the enrollment service tells, taken into the read models.

use std::collections::BTreeMap;

use eventlog::{BoxError, Patches, Recorded};
use identity::{EditionId, Id};
use proto::{api, enrollment as told};

use crate::domain::Phase;
use crate::domain::inputs::Rules;
use crate::domain::repair::{MOVES_MAX, Policy};
use crate::domain::week::Window;
use crate::views::editions::{self, Settings};
use crate::views::participants::{self, Answer};
use crate::views::people;

/// Takes an event in, if it matters here.
pub(crate) fn note(patches: &mut Patches, event: &Recorded) -> Result<(), BoxError> {
    person(patches, event)?;
    edition(patches, event)?;
    application(patches, event)?;
    obligation(patches, event)
}

fn person(patches: &mut Patches, event: &Recorded) -> Result<(), BoxError> {
    if event.is::<told::PersonJoined>() {
        let it: told::PersonJoined = event.read()?;
        let manager = optional_id(&it.manager_person_id)?;
        people::join(patches, it.person_id.parse()?, manager, it.org_unit_id.parse()?);
    } else if event.is::<told::PersonMoved>() {
        let it: told::PersonMoved = event.read()?;
        let manager = optional_id(&it.manager_person_id)?;
        people::place(patches, it.person_id.parse()?, manager, it.org_unit_id.parse()?);
    } else if event.is::<told::PersonLeft>() {
        let it: told::PersonLeft = event.read()?;
        people::set_left(patches, it.person_id.parse()?, true);
    } else if event.is::<told::PersonReturned>() {
        let it: told::PersonReturned = event.read()?;
        people::set_left(patches, it.person_id.parse()?, false);
    } else if event.is::<told::PersonAbsent>() {
        let it: told::PersonAbsent = event.read()?;
        let last_day = if it.last_day.is_empty() { None } else { Some(it.last_day.parse()?) };
        people::set_away(patches, it.person_id.parse()?, it.first_day.parse()?, last_day);
    } else if event.is::<told::PersonAbsenceEnded>() {
        let it: told::PersonAbsenceEnded = event.read()?;
        people::set_away(patches, it.person_id.parse()?, it.first_day.parse()?, Some(it.last_day.parse()?));
    }
    Ok(())
}

fn edition(patches: &mut Patches, event: &Recorded) -> Result<(), BoxError> {
    let id = EditionId::from_uuid(event.stream.id);
    if event.is::<told::EditionCreated>() {
        let it: told::EditionCreated = event.read()?;
        editions::set(patches, id, &settings(it.rules)?);
        editions::set_phase(patches, id, Phase::Draft);
    } else if event.is::<told::EditionRevised>() {
        let it: told::EditionRevised = event.read()?;
        editions::set(patches, id, &settings(it.rules)?);
    } else if let Some(phase) = entered(event) {
        editions::set_phase(patches, id, phase);
    }
    Ok(())
}

/// The phase that an edition enters with an event.
fn entered(event: &Recorded) -> Option<Phase> {
    match event {
        _ if event.is::<told::EditionOpened>() => Some(Phase::Open),
        _ if event.is::<told::MatchingStarted>() => Some(Phase::Matching),
        _ if event.is::<told::EditionStarted>() => Some(Phase::Running),
        _ if event.is::<told::EditionCompleted>() => Some(Phase::Completed),
        _ if event.is::<told::EditionArchived>() => Some(Phase::Archived),
        _ => None,
    }
}

fn application(patches: &mut Patches, event: &Recorded) -> Result<(), BoxError> {
    let id = Id::from_uuid(event.stream.id);
    if event.is::<told::ApplicationSubmitted>() {
        let it: told::ApplicationSubmitted = event.read()?;
        let offers = it.offers.into_iter().map(|offer| (offer.topic_id, offer.level));
        let (who, offers) = ((it.edition_id.as_str(), it.person_id.as_str()), offers.collect());
        let answer = answer(who, offers, it.availability, &it.wished_person_ids)?;
        participants::add_application(patches, id, &answer, it.capacity);
    } else if event.is::<told::ApplicationAccepted>() {
        participants::accept_application(patches, id);
    } else if event.is::<told::ApplicationDeclined>() || event.is::<told::ApplicationWithdrawn>() {
        participants::drop_application(patches, id);
    }
    Ok(())
}

fn obligation(patches: &mut Patches, event: &Recorded) -> Result<(), BoxError> {
    let id = Id::from_uuid(event.stream.id);
    if event.is::<told::ObligationAcknowledged>() {
        let it: told::ObligationAcknowledged = event.read()?;
        let wanted = it.needs.into_iter().filter(|need| need.wanted);
        let needs = wanted.map(|need| (need.topic_id, need.level)).collect();
        let who = (it.edition_id.as_str(), it.person_id.as_str());
        let answer = answer(who, needs, it.availability, &it.wished_person_ids)?;
        participants::set_obligation(patches, id, &answer);
    } else if event.is::<told::ObligationExcused>() || event.is::<told::ObligationLapsed>() {
        participants::drop_obligation(patches, id);
    }
    Ok(())
}

fn answer(
    (edition, person): (&str, &str),
    levels: BTreeMap<String, i32>,
    availability: Option<api::Availability>,
    wishes: &[String],
) -> Result<Answer, BoxError> {
    let availability = availability.ok_or("it has no availability")?;
    // In order, so that the same wishes are the same inputs.
    let mut wishes = wishes.iter().map(|person| person.parse()).collect::<Result<Vec<_>, _>>()?;
    wishes.sort_unstable();
    let window = |window: api::Window| Window {
        weekday: window.weekday,
        start_minute: window.start_minute,
        end_minute: window.end_minute,
    };
    Ok(Answer {
        edition: edition.parse()?,
        person: person.parse()?,
        levels,
        windows: availability.windows.into_iter().map(window).collect(),
        time_zone: availability.time_zone,
        languages: availability.languages,
        wishes,
    })
}

fn settings(rules: Option<told::EditionRules>) -> Result<Settings, BoxError> {
    let it = rules.ok_or("it has no rules")?;
    let pairing = it.pairing_rule.ok_or("it has no pairing rule")?;
    Ok(Settings {
        start_date: it.start_date.parse()?,
        rules: Rules {
            chain_levels: pairing.chain_levels,
            other_department: pairing.other_department,
            session_minutes: it.session_minutes,
            months: it.months,
        },
        mentor_capacity_max: it.mentor_capacity_max,
        answer_working_days: it.answer_working_days,
        time_zone: it.time_zone,
        working_days: it.region.parse()?,
        repair: repair(it.repair_rule),
    })
}

/// An edition from before the rule has its default, as the enrollment service shows it.
fn repair(rule: Option<told::RepairRule>) -> Policy {
    let told::RepairRule { by_hand, moves_max } = rule.unwrap_or_default();
    if by_hand { Policy::ByHand } else { Policy::AtOnce { moves_max: moves_max.unwrap_or(MOVES_MAX) } }
}

fn optional_id<K>(text: &str) -> Result<Option<Id<K>>, BoxError> {
    if text.is_empty() { Ok(None) } else { Ok(Some(text.parse()?)) }
}
