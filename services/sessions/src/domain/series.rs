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
    /// End the series.
    End(Ending),
    /// Accept the charter for a side.
    AcceptCharter(Side),
    /// Record that the two met, and which questions that answered.
    Hold(SessionId, Vec<QuestionId>),
    /// Move a session.
    Move(Move),
    /// Cancel a session for a side.
    Cancel(SessionId, Side),
    /// Record that a side's absence is approved.
    Excuse(SessionId, Side),
    /// A side is on leave then.
    Pause(SessionId, Side),
    /// Nobody is on leave then after all: meet at this time.
    Resume(SessionId, Timestamp),
    /// Record that a side did not come.
    Miss(SessionId, Side),
    /// Put a question into the box.
    AskQuestion(Question),
    /// Note what the two agreed to do next.
    AgreeAction(Action),
    /// Tick an action off.
    CompleteAction(ActionId),
    /// Answer the survey after a session for a side.
    AnswerPulse(SessionId, Side, Pulse),
}

/// Another time for a session.
#[derive(Clone, Debug)]
pub struct Move {
    /// The session.
    pub session: SessionId,
    /// Who moves it.
    pub side: Side,
    /// Where it shall begin.
    pub start: Timestamp,
    /// What the two have planned besides it.
    pub busy: Vec<Slot>,
}

/// Why nothing more is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The edition, and the tandem with it, is completed.
    Completed,
    /// The tandem ended before.
    Dissolved,
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
    CharterAccepted(Side),
    /// Something became of a session.
    Session(Occasion, Outcome),
    /// Two cancellations in a row reached the programme office; this side's was the last.
    OfficeAlerted(Side),
    /// A question is in the box.
    QuestionAsked(Question),
    /// A session answered a question.
    QuestionAnswered(QuestionId, SessionId),
    /// The two agreed what to do next.
    ActionAgreed(Action),
    /// An action is done.
    ActionCompleted(ActionId),
    /// A side answered the survey.
    PulseAnswered(SessionId, Side, Pulse),
    /// What was planned later than this moment is off.
    Ended(Ending, Timestamp),
}

/// What can become of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The two met.
    Held,
    /// A side moved it to another start.
    Moved(Side, Timestamp),
    /// It does not take place.
    Cancelled {
        /// Who cancelled, or is absent with approval.
        side: Side,
        /// Why the side does not come.
        cause: Cause,
    },
    /// It is planned again after it was off for a leave, with this start.
    Resumed(Timestamp),
    /// A side did not come.
    Missed(Side),
}

/// Why a side does not come to a session that is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The side cancelled.
    Own,
    /// The absence is approved, and counts for nobody.
    Approved,
    /// The side is on leave, which is an approved absence that may end.
    OnLeave,
}

impl Cause {
    /// Whether it counts for nobody.
    #[must_use]
    pub const fn is_approved(self) -> bool {
        matches!(self, Self::Approved | Self::OnLeave)
    }
}

/// A session and the month of the edition it is the session of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// The session.
    pub session: SessionId,
    /// The month, from 1.
    pub month: i32,
}

/// The sessions of a tandem as planned at its beginning.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Who teaches.
    pub mentor: PersonId,
    /// Who learns.
    pub mentee: PersonId,
    /// The mentee's zone, from the IANA time zone database.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// Where a session stands; only what is planned can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Planned,
    Held,
    Cancelled {
        side: Side,
        cause: Cause,
    },
    Missed(Side),
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
            Change::Planned(_) | Change::OfficeAlerted(_) => {}
            Change::CharterAccepted(side) => {
                self.charter.insert(*side);
            }
            Change::Session(occasion, outcome) => self.turn_out(occasion.session, *outcome),
            Change::QuestionAsked(question) => {
                self.questions.insert(question.id, None);
            }
            Change::QuestionAnswered(question, session) => {
                self.questions.insert(*question, Some(*session));
            }
            Change::ActionAgreed(action) => {
                self.actions.insert(action.id, false);
            }
            Change::ActionCompleted(action) => {
                self.actions.insert(*action, true);
            }
            Change::PulseAnswered(session, side, pulse) => {
                self.pulses.insert((*session, *side), *pulse);
            }
            Change::Ended(_, at) => self.end(*at),
        }
    }

    fn turn_out(&mut self, id: SessionId, outcome: Outcome) {
        let Some(session) = self.sessions.iter_mut().find(|session| session.planned.id == id) else { return };
        session.standing = match outcome {
            Outcome::Held => Standing::Held,
            Outcome::Moved(_, start) => {
                session.planned.start = start;
                return;
            }
            Outcome::Resumed(start) => {
                session.planned.start = start;
                Standing::Planned
            }
            Outcome::Cancelled { side, cause } => Standing::Cancelled { side, cause },
            Outcome::Missed(side) => Standing::Missed(side),
        };
    }

    fn end(&mut self, at: Timestamp) {
        self.ended = true;
        let later =
            |session: &&mut Session| session.standing == Standing::Planned && session.planned.start > at;
        for session in self.sessions.iter_mut().filter(later) {
            session.standing = Standing::Dropped;
        }
    }
}

/// Why a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No sessions were ever planned for such a tandem.
    #[error("There is no series of this tandem.")]
    UnknownSeries,
    /// The tandem belongs to another edition.
    #[error("The tandem belongs to another edition.")]
    OtherEdition,
    /// The tandem has no such session.
    #[error("The tandem has no such session.")]
    UnknownSession,
    /// The tandem has no such action.
    #[error("The tandem has no such action.")]
    UnknownAction,
    /// The tandem's box does not hold the question, or another session answered it.
    #[error("A question is not open in the tandem's box.")]
    QuestionNotOpen,
    /// Nothing more happens in the tandem.
    #[error("The series has ended.")]
    SeriesEnded,
    /// The two have to accept the charter before they meet.
    #[error("Both sides have to accept the charter first.")]
    CharterNotAccepted,
    /// The session has not begun.
    #[error("The session has not begun yet.")]
    NotYet,
    /// What became of the session is final.
    #[error("The session is no longer planned.")]
    TerminalState,
    /// A session can only be moved to a time to come.
    #[error("The new start has passed already.")]
    StartInThePast,
    /// The session would leave its month.
    #[error("A session stays in its calendar month; cancel it instead.")]
    MoveOutsideMonth,
    /// The mentor or the mentee has another session then.
    #[error("One of the two has another session at that time.")]
    Collision,
    /// The survey is about meetings that took place.
    #[error("The session was not held.")]
    NotHeld,
    /// The side has answered differently before.
    #[error("The survey was answered before.")]
    AlreadyAnswered,
}

#[cfg(test)]
mod tests;
