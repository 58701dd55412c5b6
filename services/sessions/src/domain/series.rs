//! The series of a tandem: charter, sessions, questions, actions and pulses.

use std::collections::{BTreeMap, BTreeSet};

use identity::{ActionId, EditionId, PersonId, QuestionId, SessionId, TandemId};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::Side;
use crate::domain::planning::Slot;

mod decide;
mod row;

pub use decide::decide;

/// What is asked of a tandem's series.
#[derive(Clone, Debug)]
pub struct Command {
    /// The tandem.
    pub tandem: TandemId,
    /// The edition in which the caller believes the tandem to be.
    pub edition: EditionId,
    /// When it is asked.
    pub now: Timestamp,
    /// What is asked.
    pub act: Act,
}

/// What may be asked of a series.
#[derive(Clone, Debug)]
pub enum Act {
    /// Keep the planned sessions.
    Plan(Plan),
    /// End the series, because the edition is completed or else because the tandem ended.
    End { completed: bool },
    /// Accept the charter for a side.
    AcceptCharter { side: Side },
    /// Record that the two met, and which questions that answered.
    Hold { session: SessionId, answered: Vec<QuestionId> },
    /// Move a session; `busy` is what the two have planned besides it.
    Move { session: SessionId, side: Side, start: Timestamp, busy: Vec<Slot> },
    /// Cancel a session for a side.
    Cancel { session: SessionId, side: Side },
    /// Record that a side's absence is approved.
    Excuse { session: SessionId, side: Side },
    /// Record that a side did not come.
    Miss { session: SessionId, side: Side },
    /// Put a question into the box.
    AskQuestion(Question),
    /// Note what the two agreed to do next.
    AgreeAction(Action),
    /// Tick an action off.
    CompleteAction { action: ActionId },
    /// Answer the survey after a session for a side.
    AnswerPulse { session: SessionId, side: Side, pulse: Pulse },
}

/// What happened in a tandem's series.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The tandem.
    pub tandem: TandemId,
    /// Its edition.
    pub edition: EditionId,
    /// What changed.
    pub change: Change,
}

/// What can change in a series.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The sessions are planned.
    Planned(Plan),
    /// A side accepted the charter.
    CharterAccepted { side: Side },
    /// The two met.
    Held { session: SessionId, month: i32 },
    /// A session has another time.
    Moved { session: SessionId, month: i32, start: Timestamp, side: Side },
    /// A session does not take place.
    Cancelled { session: SessionId, month: i32, side: Side, approved_absence: bool },
    /// A side did not come.
    Missed { session: SessionId, month: i32, side: Side },
    /// Two cancellations in a row reached the programme office.
    OfficeAlerted { side: Side },
    /// A question is in the box.
    QuestionAsked(Question),
    /// A session answered a question.
    QuestionAnswered { question: QuestionId, session: SessionId },
    /// The two agreed what to do next.
    ActionAgreed(Action),
    /// An action is done.
    ActionCompleted { action: ActionId },
    /// A side answered the survey.
    PulseAnswered { session: SessionId, side: Side, pulse: Pulse },
    /// What was planned later than this moment is off.
    Ended { completed: bool, at: Timestamp },
}

/// The sessions of a tandem as planned at its beginning.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Who teaches.
    pub mentor: PersonId,
    /// Who learns.
    pub mentee: PersonId,
    /// The mentee's zone.
    pub time_zone: TimeZone,
    /// At most one a month, by month.
    pub sessions: Vec<PlannedSession>,
    /// Months in which the two have no time in common.
    pub months_without_time: Vec<i32>,
}

/// One planned meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedSession {
    /// Its id.
    pub id: SessionId,
    /// Month of the edition, from 1.
    pub month: i32,
    /// Start.
    pub start: Timestamp,
    /// Length.
    pub minutes: i32,
}

/// A question, unreadable to everyone but the tandem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its id.
    pub id: QuestionId,
    /// Who asks.
    pub asked_by: PersonId,
    /// The text, sealed with the tandem's key.
    pub sealed_text: Vec<u8>,
    /// The topic it belongs to; empty if none.
    pub topic: String,
}

/// What a tandem agreed to do next, unreadable to everyone else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its id.
    pub id: ActionId,
    /// Who noted it.
    pub agreed_by: PersonId,
    /// The text, sealed with the tandem's key.
    pub sealed_text: Vec<u8>,
    /// The day by which it shall be done.
    pub due_date: Date,
}

/// The three voluntary answers after a session: 1 not at all to 5 very, 0 not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// The hour was useful.
    pub useful: i32,
    /// I can do something I could not before.
    pub learnt: i32,
    /// We could talk openly.
    pub open: i32,
}

/// What the events of a series amount to; without the first one there is no series.
#[derive(Clone, Debug, Default)]
pub struct State(Option<Series>);

#[derive(Clone, Debug)]
struct Series {
    edition: EditionId,
    time_zone: TimeZone,
    charter: BTreeSet<Side>,
    sessions: Vec<Session>,
    questions: BTreeMap<QuestionId, Option<SessionId>>,
    actions: BTreeMap<ActionId, bool>,
    pulses: BTreeMap<(SessionId, Side), Pulse>,
    ended: bool,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    planned: PlannedSession,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Planned,
    Held,
    Cancelled { side: Side, approved_absence: bool },
    Missed { side: Side },
    /// The series ended before it.
    Dropped,
}

/// Takes an event into the state.
pub fn evolve(state: &mut State, event: &Event) {
    if let Change::Planned(plan) = &event.change {
        state.0 = Some(Series::planned(event.edition, plan));
    } else if let Some(series) = &mut state.0 {
        series.evolve(&event.change);
    }
}

impl Series {
    fn planned(edition: EditionId, plan: &Plan) -> Self {
        let planned = plan.sessions.iter().copied();
        Self {
            edition,
            time_zone: plan.time_zone.clone(),
            charter: BTreeSet::new(),
            sessions: planned.map(|planned| Session { planned, standing: Standing::Planned }).collect(),
            questions: BTreeMap::new(),
            actions: BTreeMap::new(),
            pulses: BTreeMap::new(),
            ended: false,
        }
    }

    fn evolve(&mut self, change: &Change) {
        match change {
            Change::Planned(_) | Change::OfficeAlerted { .. } => {}
            Change::CharterAccepted { side } => {
                self.charter.insert(*side);
            }
            Change::Held { session, .. } => self.stand(*session, Standing::Held),
            Change::Moved { session, start, .. } => {
                if let Some(session) = self.session_mut(*session) {
                    session.planned.start = *start;
                }
            }
            Change::Cancelled { session, side, approved_absence, .. } => {
                let standing = Standing::Cancelled { side: *side, approved_absence: *approved_absence };
                self.stand(*session, standing);
            }
            Change::Missed { session, side, .. } => self.stand(*session, Standing::Missed { side: *side }),
            Change::QuestionAsked(question) => {
                self.questions.insert(question.id, None);
            }
            Change::QuestionAnswered { question, session } => {
                self.questions.insert(*question, Some(*session));
            }
            Change::ActionAgreed(action) => {
                self.actions.insert(action.id, false);
            }
            Change::ActionCompleted { action } => {
                self.actions.insert(*action, true);
            }
            Change::PulseAnswered { session, side, pulse } => {
                self.pulses.insert((*session, *side), *pulse);
            }
            Change::Ended { at, .. } => self.end(*at),
        }
    }

    fn session_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.planned.id == id)
    }

    fn stand(&mut self, id: SessionId, standing: Standing) {
        if let Some(session) = self.session_mut(id) {
            session.standing = standing;
        }
    }

    fn end(&mut self, at: Timestamp) {
        self.ended = true;
        let later = |session: &&mut Session| {
            session.standing == Standing::Planned && session.planned.start > at
        };
        for session in self.sessions.iter_mut().filter(later) {
            session.standing = Standing::Dropped;
        }
    }
}

/// Why a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No sessions were ever planned for such a tandem.
    #[error("there is no series of this tandem")]
    UnknownSeries,
    /// The tandem belongs to another edition.
    #[error("the tandem belongs to another edition")]
    OtherEdition,
    /// The tandem has no such session.
    #[error("the tandem has no such session")]
    UnknownSession,
    /// The tandem has no such action.
    #[error("the tandem has no such action")]
    UnknownAction,
    /// The tandem's box does not hold the question, or another session answered it.
    #[error("a question is not open in the tandem's box")]
    QuestionNotOpen,
    /// Nothing more happens in the tandem.
    #[error("the series has ended")]
    SeriesEnded,
    /// The two have to accept the charter before they meet.
    #[error("both sides have to accept the charter first")]
    CharterNotAccepted,
    /// The session has not begun.
    #[error("the session has not begun yet")]
    NotYet,
    /// What became of the session is final.
    #[error("the session is no longer planned")]
    SessionClosed,
    /// A session can only be moved to a time to come.
    #[error("the new start has passed already")]
    StartInThePast,
    /// The session would leave its month.
    #[error("a session stays in its calendar month; cancel it instead")]
    MoveOutsideMonth,
    /// The mentor or the mentee has another session then.
    #[error("one of the two has another session at that time")]
    Collision,
    /// The survey is about meetings that took place.
    #[error("the session was not held")]
    NotHeld,
    /// The side has answered differently before.
    #[error("the survey was answered before")]
    AlreadyAnswered,
}

#[cfg(test)]
mod tests;
