//! The others' events as facts.

use std::str::FromStr;

use eventlog::{Corrupt, Recorded};
use identity::{PersonId, SessionId};
use jiff::Timestamp;
use proto::enrollment as e;
use proto::matching as m;
use proto::sessions as s;
use proto::{api, time};

use crate::domain::{Fact, Meeting, Pair, Personal, Session, Side, Tandem};

/// The fact that an event tells; `None` if nobody needs to hear of it.
///
/// # Errors
/// [`Corrupt`] if the event cannot be read.
pub fn fact(event: &Recorded) -> Result<Option<Fact>, Corrupt> {
    let service = event.name.strip_prefix("updraft.").and_then(|name| name.split_once(".v1."));
    match service {
        Some(("enrollment", name)) => of_enrollment(event, name),
        Some(("matching", name)) => of_matching(event, name),
        Some(("sessions", name)) => of_sessions(event, name),
        _ => Ok(None),
    }
}

fn of_enrollment(event: &Recorded, name: &str) -> Result<Option<Fact>, Corrupt> {
    Ok(Some(match name {
        "EditionCreated" => {
            let it: e::EditionCreated = event.read()?;
            zone(event, &it.edition_id, it.rules)?
        }
        "EditionRevised" => {
            let it: e::EditionRevised = event.read()?;
            zone(event, &it.edition_id, it.rules)?
        }
        "PersonLeft" => Fact::Left { person: read(event, &event.read::<e::PersonLeft>()?.person_id)? },
        "PersonReturned" => {
            Fact::Returned { person: read(event, &event.read::<e::PersonReturned>()?.person_id)? }
        }
        "ApplicationSubmitted" => {
            let it: e::ApplicationSubmitted = event.read()?;
            let promised = optional(event, &it.promised_date)?;
            let what = Personal::Applied { person: read(event, &it.person_id)?, promised };
            personal(event, &it.application_id, &it.edition_id, what)?
        }
        "InformationRequested" => {
            let it: e::InformationRequested = event.read()?;
            let what = Personal::AskedBack { person: read(event, &it.person_id)? };
            personal(event, &it.application_id, &it.edition_id, what)?
        }
        "InformationProvided" => {
            let it: e::InformationProvided = event.read()?;
            personal(event, &it.application_id, &it.edition_id, Personal::ApplicantActed)?
        }
        "ApplicationWithdrawn" => {
            let it: e::ApplicationWithdrawn = event.read()?;
            personal(event, &it.application_id, &it.edition_id, Personal::ApplicantActed)?
        }
        "ApplicationAccepted" => {
            let it: e::ApplicationAccepted = event.read()?;
            let what = Personal::Accepted { person: read(event, &it.person_id)? };
            personal(event, &it.application_id, &it.edition_id, what)?
        }
        "ApplicationWaitlisted" => {
            let it: e::ApplicationWaitlisted = event.read()?;
            let what = Personal::Waitlisted { person: read(event, &it.person_id)? };
            personal(event, &it.application_id, &it.edition_id, what)?
        }
        "ApplicationDeclined" => {
            let it: e::ApplicationDeclined = event.read()?;
            let what = Personal::Declined { person: read(event, &it.person_id)? };
            personal(event, &it.application_id, &it.edition_id, what)?
        }
        _ => return of_obligations(event, name),
    }))
}

fn of_obligations(event: &Recorded, name: &str) -> Result<Option<Fact>, Corrupt> {
    let settled = |obligation: &str, edition: &str| {
        personal(event, obligation, edition, Personal::ObligationSettled).map(Some)
    };
    match name {
        "ObligationRaised" => {
            let it: e::ObligationRaised = event.read()?;
            let due = optional(event, &it.due_date)?;
            let what = Personal::Obliged { person: read(event, &it.person_id)?, due };
            personal(event, &it.obligation_id, &it.edition_id, what).map(Some)
        }
        "ObligationEscalated" => {
            let it: e::ObligationEscalated = event.read()?;
            // The later steps go to people whom the event does not name: they find it where they look after obligations.
            if it.step != 1 {
                return Ok(None);
            }
            let what = Personal::Overdue { person: read(event, &it.person_id)? };
            personal(event, &it.obligation_id, &it.edition_id, what).map(Some)
        }
        "ObligationAcknowledged" => {
            let it: e::ObligationAcknowledged = event.read()?;
            settled(&it.obligation_id, &it.edition_id)
        }
        "ObligationExcused" => {
            let it: e::ObligationExcused = event.read()?;
            settled(&it.obligation_id, &it.edition_id)
        }
        "ObligationFulfilled" => {
            let it: e::ObligationFulfilled = event.read()?;
            settled(&it.obligation_id, &it.edition_id)
        }
        "ObligationLapsed" => {
            let it: e::ObligationLapsed = event.read()?;
            settled(&it.obligation_id, &it.edition_id)
        }
        _ => Ok(None),
    }
}

fn of_matching(event: &Recorded, name: &str) -> Result<Option<Fact>, Corrupt> {
    let tandem = |tandem: &str, edition: &str, what| {
        let (tandem, edition) = (read(event, tandem)?, read(event, edition)?);
        Ok(Some(Fact::Tandem { tandem, edition, what }))
    };
    match name {
        "TandemPublished" => {
            let it: m::TandemPublished = event.read()?;
            Ok(Some(Fact::Offered {
                tandem: read(event, &it.tandem_id)?,
                edition: read(event, &it.edition_id)?,
                pair: pair(event, &it.mentor_person_id, &it.mentee_person_id)?,
                answer_by: it.answer_by.map(|answer_by| instant(event, Some(answer_by))).transpose()?,
            }))
        }
        "TandemAccepted" => {
            let it: m::TandemAccepted = event.read()?;
            let side = side(it.side()).ok_or_else(|| Corrupt::new(event, "no side accepted"))?;
            tandem(&it.tandem_id, &it.edition_id, Tandem::Accepted { side })
        }
        "TandemInformationNeeded" => {
            let it: m::TandemInformationNeeded = event.read()?;
            let Some(office) = optional(event, &it.released_by_person_id)? else { return Ok(None) };
            let what = Personal::TandemInformationNeeded { office };
            personal(event, &it.tandem_id, &it.edition_id, what).map(Some)
        }
        "TandemActivated" => {
            let it: m::TandemActivated = event.read()?;
            tandem(&it.tandem_id, &it.edition_id, Tandem::Activated)
        }
        "TandemVetoed" => {
            let it: m::TandemVetoed = event.read()?;
            tandem(&it.tandem_id, &it.edition_id, Tandem::Refused { side: Side::Mentee })
        }
        "TandemDeclined" => {
            let it: m::TandemDeclined = event.read()?;
            tandem(&it.tandem_id, &it.edition_id, Tandem::Refused { side: Side::Mentor })
        }
        "TandemExpired" => {
            let it: m::TandemExpired = event.read()?;
            tandem(&it.tandem_id, &it.edition_id, Tandem::Expired)
        }
        "TandemDissolved" => {
            let it: m::TandemDissolved = event.read()?;
            tandem(&it.tandem_id, &it.edition_id, Tandem::Dissolved { side: side(it.side()) })
        }
        "TandemCompleted" => {
            let it: m::TandemCompleted = event.read()?;
            tandem(&it.tandem_id, &it.edition_id, Tandem::Completed)
        }
        "TandemWithdrawn" => {
            let it: m::TandemWithdrawn = event.read()?;
            tandem(&it.tandem_id, &it.edition_id, Tandem::Withdrawn)
        }
        _ => of_repairs(event, name),
    }
}

/// Whoever published the last run is told, where the event names them; otherwise nobody is, and the office finds it in the list.
fn of_repairs(event: &Recorded, name: &str) -> Result<Option<Fact>, Corrupt> {
    match name {
        "RepairOffered" => {
            let it: m::RepairOffered = event.read()?;
            let Some(office) = optional(event, &it.released_by_person_id)? else { return Ok(None) };
            personal(event, &it.repair_id, &it.edition_id, Personal::RepairOffered { office }).map(Some)
        }
        "RepairWaiting" => {
            let it: m::RepairWaiting = event.read()?;
            let Some(office) = optional(event, &it.released_by_person_id)? else { return Ok(None) };
            personal(event, &it.repair_id, &it.edition_id, Personal::RepairWaiting { office }).map(Some)
        }
        _ => Ok(None),
    }
}

fn of_sessions(event: &Recorded, name: &str) -> Result<Option<Fact>, Corrupt> {
    let session = |tandem: &str, edition: &str, session: &str, what| {
        let (tandem, edition) = (read(event, tandem)?, read(event, edition)?);
        Ok(Some(Fact::Session { tandem, edition, session: read::<SessionId>(event, session)?, what }))
    };
    match name {
        "SeriesPlanned" => {
            let it: s::SeriesPlanned = event.read()?;
            let meetings = it.sessions.iter().map(|planned| meeting(event, planned));
            Ok(Some(Fact::Planned {
                tandem: read(event, &it.tandem_id)?,
                edition: read(event, &it.edition_id)?,
                meetings: meetings.collect::<Result<_, _>>()?,
                time_zone: it.time_zone,
            }))
        }
        "SessionMoved" => {
            let it: s::SessionMoved = event.read()?;
            let what = Session::Moved { start: instant(event, it.start_time)? };
            session(&it.tandem_id, &it.edition_id, &it.session_id, what)
        }
        "SessionCancelled" => {
            let it: s::SessionCancelled = event.read()?;
            session(&it.tandem_id, &it.edition_id, &it.session_id, Session::Cancelled)
        }
        "SessionResumed" => {
            let it: s::SessionResumed = event.read()?;
            let what = Session::Resumed { start: instant(event, it.start_time)? };
            session(&it.tandem_id, &it.edition_id, &it.session_id, what)
        }
        "SessionHeld" => {
            let it: s::SessionHeld = event.read()?;
            session(&it.tandem_id, &it.edition_id, &it.session_id, Session::Past)
        }
        "SessionMissed" => {
            let it: s::SessionMissed = event.read()?;
            session(&it.tandem_id, &it.edition_id, &it.session_id, Session::Past)
        }
        "SeriesEnded" => {
            let it: s::SeriesEnded = event.read()?;
            let (tandem, edition) = (read(event, &it.tandem_id)?, read(event, &it.edition_id)?);
            Ok(Some(Fact::SeriesEnded { tandem, edition }))
        }
        "FollowUpDue" => {
            let it: s::FollowUpDue = event.read()?;
            let mentee: PersonId = read(event, &it.mentee_person_id)?;
            let what = Personal::FollowUpDue { mentee, months: it.months };
            personal(event, &it.follow_up_id, &it.edition_id, what).map(Some)
        }
        "FollowUpAnswered" => {
            let it: s::FollowUpAnswered = event.read()?;
            personal(event, &it.follow_up_id, &it.edition_id, Personal::FollowUpAnswered).map(Some)
        }
        _ => Ok(None),
    }
}

fn zone(event: &Recorded, edition: &str, rules: Option<e::EditionRules>) -> Result<Fact, Corrupt> {
    let rules = rules.ok_or_else(|| Corrupt::new(event, "the rules are missing"))?;
    let (time_zone, region) = (rules.time_zone, rules.region);
    Ok(Fact::Zone { edition: read(event, edition)?, time_zone, region })
}

fn personal(event: &Recorded, subject: &str, edition: &str, what: Personal) -> Result<Fact, Corrupt> {
    Ok(Fact::Personal { subject: read(event, subject)?, edition: read(event, edition)?, what })
}

fn pair(event: &Recorded, mentor: &str, mentee: &str) -> Result<Pair, Corrupt> {
    Ok(Pair { mentor: read(event, mentor)?, mentee: read(event, mentee)? })
}

fn side(side: api::Side) -> Option<Side> {
    match side {
        api::Side::Unspecified => None,
        api::Side::Mentor => Some(Side::Mentor),
        api::Side::Mentee => Some(Side::Mentee),
    }
}

fn meeting(event: &Recorded, planned: &s::PlannedSession) -> Result<Meeting, Corrupt> {
    Ok(Meeting {
        session: read(event, &planned.session_id)?,
        start: instant(event, planned.start_time)?,
        minutes: planned.minutes,
    })
}

fn instant(event: &Recorded, written: Option<prost_types::Timestamp>) -> Result<Timestamp, Corrupt> {
    let instant = written.as_ref().and_then(time::from_proto);
    instant.ok_or_else(|| Corrupt::new(event, "an instant is missing"))
}

fn optional<T: FromStr>(event: &Recorded, text: &str) -> Result<Option<T>, Corrupt> {
    if text.is_empty() { Ok(None) } else { read(event, text).map(Some) }
}

fn read<T: FromStr>(event: &Recorded, text: &str) -> Result<T, Corrupt> {
    text.parse().map_err(|_| Corrupt::new(event, "an id or a date cannot be read"))
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, Value};

    use super::*;

    /// Everything the three services record.
    fn recorded() -> impl Iterator<Item = MessageDescriptor> {
        let files = proto::pool().files().filter(|file| file.name().ends_with("/events.proto"));
        files.flat_map(|file| file.messages().collect::<Vec<_>>())
    }

    /// A message whose every field has some value that fits its name.
    fn filled(descriptor: &MessageDescriptor) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        for field in descriptor.fields().filter(|field| !field.is_list() && !field.is_map()) {
            let value = match field.kind() {
                Kind::String if field.name().ends_with("_id") => Value::String(PersonId::mint().to_string()),
                Kind::String => Value::String("2013-09-16".to_owned()),
                Kind::Int32 | Kind::Enum(_) if field.name() == "side" => Value::EnumNumber(1),
                Kind::Int32 => Value::I32(1),
                Kind::Message(inner) => Value::Message(filled(&inner)),
                _ => continue,
            };
            message.set_field(&field, value);
        }
        message
    }

    #[test]
    fn every_event_is_told_or_kept_quiet_on_purpose() {
        let mut quiet = Vec::new();
        for descriptor in recorded() {
            let mut event = eventlog::Draft::of(&e::PersonLeft::default()).rehearsed();
            descriptor.full_name().clone_into(&mut event.name);
            event.payload = filled(&descriptor).encode_to_vec();
            if fact(&event).unwrap().is_none() {
                quiet.push(descriptor.name().to_owned());
            }
        }
        quiet.sort_unstable();
        let expected = "ActionAgreed ActionCompleted AgeRuleProposed AgeRuleReleased AgeRuleTexts CharterAccepted \
            EditionArchived EditionCompleted EditionOpened EditionRules EditionStarted EditionTexts FollowUpScheduled \
            MatchRunPublished MatchRunReviewed MatchRunRevised MatchRunStaged MatchingStarted OfficeAlerted PersonAbsenceEnded \
            PersonAbsent PersonErased PersonJoined PersonLeaving PersonMoved PersonRescinded PlaceReleased PlaceTaken PlannedSession \
            PulseAnswered QuestionAnswered QuestionAsked ScoringRulesSet SourceAdded SourceChanged SourceCredentialMade \
            SourceCredentialRevoked StagedResult TandemCleared TandemFlagged VetoSpent";
        assert_eq!(quiet.join(" "), expected);
    }

    #[test]
    fn an_event_without_its_person_is_refused() {
        let event = eventlog::Draft::of(&e::PersonLeft::default()).rehearsed();
        assert!(fact(&event).is_err());
    }

    #[test]
    fn only_the_first_escalation_goes_to_the_executive() {
        let id = PersonId::mint().to_string();
        let (obligation_id, edition_id, person_id) = (id.clone(), id.clone(), id);
        let mut escalated = e::ObligationEscalated { obligation_id, edition_id, person_id, step: 1 };
        let told = |it: &e::ObligationEscalated| fact(&eventlog::Draft::of(it).rehearsed()).unwrap();
        assert!(told(&escalated).is_some());
        escalated.step = 2;
        assert_eq!(told(&escalated), None);
    }
}
