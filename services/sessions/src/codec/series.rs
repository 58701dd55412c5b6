//! Series: what a tandem's events say.

use eventlog::{Aggregate, Corrupt, Draft, Recorded};
use proto::sessions as stored;

use super::{Fields, side_to_proto};
use crate::domain::series::{self, Change, Command, Ending, Event, Pulse, Rejection, State};

mod content;
mod plan;
mod session;

/// The streams of series; the id is the tandem's.
#[derive(Debug)]
pub enum Series {}

impl Aggregate for Series {
    const KIND: &'static str = "series";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
        series::decide(state, command)
    }

    fn evolve(state: &mut State, event: &Event) {
        series::evolve(state, event);
    }

    fn encode(event: &Event) -> Draft {
        let (tandem_id, edition_id) = (event.tandem.to_string(), event.edition.to_string());
        match &event.change {
            Change::Planned(plan) => plan::encode(tandem_id, edition_id, plan),
            Change::CharterAccepted(side) => {
                let side = side_to_proto(*side);
                Draft::of(&stored::CharterAccepted { tandem_id, edition_id, side })
            }
            Change::Session(occasion, outcome) => session::encode(tandem_id, edition_id, *occasion, *outcome),
            Change::OfficeAlerted(side) => {
                let side = side_to_proto(*side);
                Draft::of(&stored::OfficeAlerted { tandem_id, edition_id, side })
            }
            Change::QuestionAsked(question) => content::encode_question(tandem_id, edition_id, question),
            Change::QuestionAnswered(question, session) => Draft::of(&stored::QuestionAnswered {
                question_id: question.to_string(),
                tandem_id,
                edition_id,
                session_id: session.to_string(),
            }),
            Change::ActionAgreed(action) => content::encode_action(tandem_id, edition_id, action),
            Change::ActionCompleted(action) => {
                let action_id = action.to_string();
                Draft::of(&stored::ActionCompleted { action_id, tandem_id, edition_id })
            }
            Change::PulseAnswered(session, side, pulse) => Draft::of(&stored::PulseAnswered {
                tandem_id,
                edition_id,
                session_id: session.to_string(),
                side: side_to_proto(*side),
                useful: pulse.useful,
                learnt: pulse.learnt,
                open: pulse.open,
            }),
            // The moment is that of the recording.
            Change::Ended(ending, _) => {
                let completed = *ending == Ending::Completed;
                Draft::of(&stored::SeriesEnded { tandem_id, edition_id, completed })
            }
        }
    }

    fn decode(event: &Recorded) -> Result<Event, Corrupt> {
        for decode in [plan::decode, session::decode, content::decode, decode_rest] {
            if let Some(decoded) = decode(event)? {
                return Ok(decoded);
            }
        }
        Err(Corrupt::unknown(event))
    }
}

fn decode_rest(event: &Recorded) -> Result<Option<Event>, Corrupt> {
    let fields = Fields(event);
    let decoded = if event.is::<stored::CharterAccepted>() {
        let it: stored::CharterAccepted = event.read()?;
        let change = Change::CharterAccepted(fields.side(it.side)?);
        fields.of_series(&it.tandem_id, &it.edition_id, change)?
    } else if event.is::<stored::OfficeAlerted>() {
        let it: stored::OfficeAlerted = event.read()?;
        let change = Change::OfficeAlerted(fields.side(it.side)?);
        fields.of_series(&it.tandem_id, &it.edition_id, change)?
    } else if event.is::<stored::PulseAnswered>() {
        let it: stored::PulseAnswered = event.read()?;
        let pulse = Pulse { useful: it.useful, learnt: it.learnt, open: it.open };
        let session = fields.id("session_id", &it.session_id)?;
        let change = Change::PulseAnswered(session, fields.side(it.side)?, pulse);
        fields.of_series(&it.tandem_id, &it.edition_id, change)?
    } else if event.is::<stored::SeriesEnded>() {
        let it: stored::SeriesEnded = event.read()?;
        let ending = if it.completed { Ending::Completed } else { Ending::Dissolved };
        fields.of_series(&it.tandem_id, &it.edition_id, Change::Ended(ending, event.recorded_at))?
    } else {
        return Ok(None);
    };
    Ok(Some(decoded))
}

impl Fields<'_> {
    /// A change of the series that these ids name.
    fn of_series(&self, tandem: &str, edition: &str, change: Change) -> Result<Event, Corrupt> {
        let tandem = self.id("tandem_id", tandem)?;
        Ok(Event { tandem, edition: self.id("edition_id", edition)?, change })
    }
}

#[cfg(test)]
mod tests {
    use identity::{ActionId, EditionId, PersonId, QuestionId, SessionId, TandemId};
    use jiff::Timestamp;
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::domain::Side;
    use crate::domain::series::{Action, Cause, Occasion, Outcome, Plan, PlannedSession, Question};
    use eventlog::rehearsal::{refuses_the_unreadable, round_trip};

    fn changes() -> Vec<Change> {
        let (session, start) = (SessionId::mint(), "2013-09-03T07:00:00Z".parse().unwrap());
        let occasion = Occasion { session, month: 2 };
        let (mentor, mentee) = (PersonId::mint(), PersonId::mint());
        let (question, action) = (QuestionId::mint(), ActionId::mint());
        let side = Side::Mentee;
        vec![
            Change::Planned(Plan {
                mentor,
                mentee,
                time_zone: TimeZone::get("Europe/Berlin").unwrap(),
                sessions: vec![PlannedSession { id: session, month: 1, start, minutes: 60 }],
                months_without_time: vec![2, 3],
            }),
            Change::CharterAccepted(Side::Mentor),
            Change::CharterAccepted(Side::Mentee),
            Change::Session(occasion, Outcome::Held),
            Change::Session(occasion, Outcome::Moved(side, start)),
            Change::Session(occasion, Outcome::Cancelled { side, cause: Cause::Own }),
            Change::Session(occasion, Outcome::Cancelled { side, cause: Cause::Approved }),
            Change::Session(occasion, Outcome::Cancelled { side, cause: Cause::OnLeave }),
            Change::Session(occasion, Outcome::Resumed(start)),
            Change::Session(occasion, Outcome::Missed(side)),
            Change::OfficeAlerted(side),
            Change::QuestionAsked(Question {
                id: question,
                asked_by: mentee,
                sealed_text: vec![1, 2],
                topic: "hashtags".to_owned(),
            }),
            Change::QuestionAnswered(question, session),
            Change::ActionAgreed(Action {
                id: action,
                agreed_by: mentor,
                sealed_text: vec![3],
                due_date: date(2013, 10, 1),
            }),
            Change::ActionCompleted(action),
            Change::PulseAnswered(session, side, Pulse { useful: 5, learnt: 4, open: 0 }),
            // What rehearses the log records at the beginning of the Unix epoch.
            Change::Ended(Ending::Completed, Timestamp::UNIX_EPOCH),
            Change::Ended(Ending::Dissolved, Timestamp::UNIX_EPOCH),
        ]
    }

    #[test]
    fn every_event_of_a_series_comes_back_as_it_was() {
        let (tandem, edition) = (TandemId::mint(), EditionId::mint());
        round_trip::<Series>(changes().into_iter().map(|change| Event { tandem, edition, change }));
    }

    #[test]
    fn an_event_that_cannot_be_read_is_reported() {
        refuses_the_unreadable::<Series, stored::SeriesPlanned>();
        refuses_the_unreadable::<Series, stored::SessionMoved>();
        refuses_the_unreadable::<Series, stored::SessionResumed>();
        refuses_the_unreadable::<Series, stored::ActionAgreed>();
        refuses_the_unreadable::<Series, stored::PulseAnswered>();
    }
}
