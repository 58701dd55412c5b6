//! The others' events as facts.

use std::str::FromStr;

use eventlog::{Corrupt, Recorded};
use jiff::Timestamp;
use proto::api;
use proto::enrollment as e;
use proto::matching as m;
use proto::sessions as s;

use crate::domain::{Fact, SessionFate, Side};

/// The fact that an event tells; `None` if no report needs it.
///
/// # Errors
/// [`Corrupt`] if the event cannot be read.
pub fn fact(event: &Recorded) -> Result<Option<Fact>, Corrupt> {
    let service = event.name.strip_prefix("updraft.").and_then(|name| name.split_once('.'));
    match service {
        Some(("enrollment", name)) => of_enrollment(event, name.trim_start_matches("v1.")),
        Some(("matching", name)) => of_matching(event, name.trim_start_matches("v1.")),
        Some(("sessions", name)) => of_sessions(event, name.trim_start_matches("v1.")),
        _ => Ok(None),
    }
}

fn of_enrollment(event: &Recorded, name: &str) -> Result<Option<Fact>, Corrupt> {
    Ok(Some(match name {
        "EditionCreated" => {
            let it: e::EditionCreated = event.read()?;
            edition(event, &it.edition_id, it.rules)?
        }
        "EditionRevised" => {
            let it: e::EditionRevised = event.read()?;
            edition(event, &it.edition_id, it.rules)?
        }
        "EditionCompleted" => {
            Fact::EditionCompleted { edition: read(event, &event.read::<e::EditionCompleted>()?.edition_id)? }
        }
        "ApplicationSubmitted" => {
            let it: e::ApplicationSubmitted = event.read()?;
            Fact::Applied {
                application: read(event, &it.application_id)?,
                edition: read(event, &it.edition_id)?,
                person: read(event, &it.person_id)?,
                topics: it.offers.into_iter().map(|offer| offer.topic_id).collect(),
            }
        }
        "InformationRequested" => {
            application(event, &event.read::<e::InformationRequested>()?.application_id, "needs_info")?
        }
        "InformationProvided" => {
            application(event, &event.read::<e::InformationProvided>()?.application_id, "submitted")?
        }
        "ApplicationAccepted" => {
            application(event, &event.read::<e::ApplicationAccepted>()?.application_id, "accepted")?
        }
        "ApplicationWaitlisted" => {
            application(event, &event.read::<e::ApplicationWaitlisted>()?.application_id, "waitlisted")?
        }
        "ApplicationDeclined" => {
            application(event, &event.read::<e::ApplicationDeclined>()?.application_id, "declined")?
        }
        "ApplicationWithdrawn" => {
            application(event, &event.read::<e::ApplicationWithdrawn>()?.application_id, "withdrawn")?
        }
        "PersonLeft" => {
            let it: e::PersonLeft = event.read()?;
            Fact::Left { person: read(event, &it.person_id)?, last_day: read(event, &it.last_day)? }
        }
        "PersonReturned" => {
            Fact::Returned { person: read(event, &event.read::<e::PersonReturned>()?.person_id)? }
        }
        _ => return of_obligations(event, name),
    }))
}

fn of_obligations(event: &Recorded, name: &str) -> Result<Option<Fact>, Corrupt> {
    let is = |edition: &str, person: &str, state| {
        let (edition, person) = (read(event, edition)?, read(event, person)?);
        Ok(Some(Fact::ObligationIs { edition, person, state }))
    };
    match name {
        "ObligationRaised" => {
            let it: e::ObligationRaised = event.read()?;
            is(&it.edition_id, &it.person_id, "due")
        }
        "ObligationAcknowledged" => {
            let it: e::ObligationAcknowledged = event.read()?;
            let needs = it.needs.into_iter().map(|need| (need.topic_id, need.level, need.wanted)).collect();
            let (edition, person) = (read(event, &it.edition_id)?, read(event, &it.person_id)?);
            Ok(Some(Fact::Needs { edition, person, needs }))
        }
        "ObligationExcused" => {
            let it: e::ObligationExcused = event.read()?;
            // Nobody approved it but the executive has left: what was due until then stays due.
            let state = if it.approver_person_id.is_empty() { "left" } else { "excused" };
            is(&it.edition_id, &it.person_id, state)
        }
        "ObligationFulfilled" => {
            let it: e::ObligationFulfilled = event.read()?;
            is(&it.edition_id, &it.person_id, "fulfilled")
        }
        "ObligationLapsed" => {
            let it: e::ObligationLapsed = event.read()?;
            is(&it.edition_id, &it.person_id, "lapsed")
        }
        _ => Ok(None),
    }
}

fn of_matching(event: &Recorded, name: &str) -> Result<Option<Fact>, Corrupt> {
    let is = |tandem: &str, state| Ok(Some(Fact::TandemIs { tandem: read(event, tandem)?, state }));
    match name {
        "TandemPublished" => {
            let it: m::TandemPublished = event.read()?;
            Ok(Some(Fact::TandemOffered {
                tandem: read(event, &it.tandem_id)?,
                edition: read(event, &it.edition_id)?,
                mentor: read(event, &it.mentor_person_id)?,
                mentee: read(event, &it.mentee_person_id)?,
            }))
        }
        "TandemActivated" => is(&event.read::<m::TandemActivated>()?.tandem_id, "active"),
        "TandemVetoed" => is(&event.read::<m::TandemVetoed>()?.tandem_id, "refused"),
        "TandemDeclined" => is(&event.read::<m::TandemDeclined>()?.tandem_id, "refused"),
        "TandemExpired" => is(&event.read::<m::TandemExpired>()?.tandem_id, "refused"),
        "TandemDissolved" => is(&event.read::<m::TandemDissolved>()?.tandem_id, "dissolved"),
        "TandemWithdrawn" => is(&event.read::<m::TandemWithdrawn>()?.tandem_id, "withdrawn"),
        "TandemCompleted" => is(&event.read::<m::TandemCompleted>()?.tandem_id, "completed"),
        _ => Ok(None),
    }
}

fn of_sessions(event: &Recorded, name: &str) -> Result<Option<Fact>, Corrupt> {
    let is = |session: &str, fate| Ok(Some(Fact::SessionIs { session: read(event, session)?, fate }));
    match name {
        "SeriesPlanned" => series(event).map(Some),
        "SessionMoved" => {
            let it: s::SessionMoved = event.read()?;
            let start = instant(event, it.start_time)?;
            Ok(Some(Fact::SessionMoved { session: read(event, &it.session_id)?, start }))
        }
        "SessionResumed" => {
            let it: s::SessionResumed = event.read()?;
            let start = instant(event, it.start_time)?;
            Ok(Some(Fact::SessionResumed { session: read(event, &it.session_id)?, start }))
        }
        "SessionHeld" => is(&event.read::<s::SessionHeld>()?.session_id, SessionFate::Held),
        "SessionCancelled" => {
            let it: s::SessionCancelled = event.read()?;
            let side = side(event, it.side)?;
            let fate =
                if it.approved_absence { SessionFate::Excused(side) } else { SessionFate::Cancelled(side) };
            is(&it.session_id, fate)
        }
        "SessionMissed" => {
            let it: s::SessionMissed = event.read()?;
            is(&it.session_id, SessionFate::Missed(side(event, it.side)?))
        }
        "SeriesEnded" => {
            Ok(Some(Fact::SeriesEnded { tandem: read(event, &event.read::<s::SeriesEnded>()?.tandem_id)? }))
        }
        "OfficeAlerted" => {
            Ok(Some(Fact::Alerted { edition: read(event, &event.read::<s::OfficeAlerted>()?.edition_id)? }))
        }
        _ => of_follow_ups(event, name),
    }
}

fn of_follow_ups(event: &Recorded, name: &str) -> Result<Option<Fact>, Corrupt> {
    match name {
        "FollowUpScheduled" => {
            let it: s::FollowUpScheduled = event.read()?;
            Ok(Some(Fact::FollowUpScheduled {
                follow_up: read(event, &it.follow_up_id)?,
                edition: read(event, &it.edition_id)?,
                person: read(event, &it.mentee_person_id)?,
                months: it.months,
            }))
        }
        "FollowUpAnswered" => {
            let it: s::FollowUpAnswered = event.read()?;
            Ok(Some(Fact::FollowUpAnswered {
                follow_up: read(event, &it.follow_up_id)?,
                edition: read(event, &it.edition_id)?,
                person: read(event, &it.mentee_person_id)?,
                months: it.months,
                active: it.active,
                levels: it.levels.into_iter().map(|level| (level.topic_id, level.level)).collect(),
            }))
        }
        _ => Ok(None),
    }
}

fn edition(event: &Recorded, id: &str, rules: Option<e::EditionRules>) -> Result<Fact, Corrupt> {
    let rules = rules.ok_or_else(|| Corrupt::new(event, "the rules are missing"))?;
    Ok(Fact::EditionSet {
        edition: read(event, id)?,
        start_date: read(event, &rules.start_date)?,
        months: rules.months,
        time_zone: rules.time_zone,
        anonymity_k: rules.anonymity_k,
        topics: rules.topic_ids,
    })
}

fn application(event: &Recorded, id: &str, state: &'static str) -> Result<Fact, Corrupt> {
    Ok(Fact::ApplicationIs { application: read(event, id)?, state })
}

fn series(event: &Recorded) -> Result<Fact, Corrupt> {
    let it: s::SeriesPlanned = event.read()?;
    let sessions = it.sessions.into_iter().map(|session| {
        Ok((read(event, &session.session_id)?, session.month, instant(event, session.start_time)?))
    });
    Ok(Fact::SeriesPlanned {
        tandem: read(event, &it.tandem_id)?,
        edition: read(event, &it.edition_id)?,
        mentee: read(event, &it.mentee_person_id)?,
        sessions: sessions.collect::<Result<_, Corrupt>>()?,
    })
}

fn side(event: &Recorded, number: i32) -> Result<Side, Corrupt> {
    match api::Side::try_from(number) {
        Ok(api::Side::Mentor) => Ok(Side::Mentor),
        Ok(api::Side::Mentee) => Ok(Side::Mentee),
        _ => Err(Corrupt::new(event, "the side is missing")),
    }
}

fn instant(event: &Recorded, written: Option<prost_types::Timestamp>) -> Result<Timestamp, Corrupt> {
    let instant = written.as_ref().and_then(proto::time::from_proto);
    instant.ok_or_else(|| Corrupt::new(event, "an instant is missing"))
}

fn read<T: FromStr>(event: &Recorded, text: &str) -> Result<T, Corrupt> {
    text.parse().map_err(|_| Corrupt::new(event, "an id or a date cannot be read"))
}
