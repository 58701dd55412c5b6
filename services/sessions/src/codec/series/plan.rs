//! What was planned.

use eventlog::{Corrupt, Draft, Recorded};
use jiff::tz::TimeZone;
use proto::sessions as stored;
use proto::time::{from_proto, to_proto};

use super::Fields;
use crate::domain::series::{Change, Event, Plan, PlannedSession};
use crate::domain::zone_name;

pub(super) fn encode(tandem_id: String, edition_id: String, plan: &Plan) -> Draft {
    Draft::of(&stored::SeriesPlanned {
        tandem_id,
        edition_id,
        mentor_person_id: plan.mentor.to_string(),
        mentee_person_id: plan.mentee.to_string(),
        sessions: plan.sessions.iter().map(session_to_proto).collect(),
        time_zone: zone_name(&plan.time_zone).to_owned(),
        months_without_time: plan.months_without_time.clone(),
    })
}

pub(super) fn decode(event: &Recorded) -> Result<Option<Event>, Corrupt> {
    if !event.is::<stored::SeriesPlanned>() {
        return Ok(None);
    }
    let fields = Fields(event);
    let it: stored::SeriesPlanned = event.read()?;
    let plan = Plan {
        mentor: fields.id("mentor_person_id", &it.mentor_person_id)?,
        mentee: fields.id("mentee_person_id", &it.mentee_person_id)?,
        time_zone: fields.some("time_zone", TimeZone::get(&it.time_zone).ok())?,
        sessions: it.sessions.iter().map(|it| session(&fields, it)).collect::<Result<_, _>>()?,
        months_without_time: it.months_without_time,
    };
    fields.of_series(&it.tandem_id, &it.edition_id, Change::Planned(plan)).map(Some)
}

fn session_to_proto(session: &PlannedSession) -> stored::PlannedSession {
    stored::PlannedSession {
        session_id: session.id.to_string(),
        month: session.month,
        start_time: Some(to_proto(session.start)),
        minutes: session.minutes,
    }
}

fn session(fields: &Fields<'_>, it: &stored::PlannedSession) -> Result<PlannedSession, Corrupt> {
    Ok(PlannedSession {
        id: fields.id("session_id", &it.session_id)?,
        month: it.month,
        start: fields.some("start_time", it.start_time.as_ref().and_then(from_proto))?,
        minutes: it.minutes,
    })
}
