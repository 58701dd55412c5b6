//! The rules of a series.

use identity::{ActionId, QuestionId, SessionId};
use jiff::Timestamp;

use super::{
    Act, Cause, Change, Command, Event, Move, Occasion, Outcome, PlannedSession, Pulse, Rejection, Series,
    Standing, State, row,
};
use crate::domain::Side;
use crate::domain::planning::Slot;

/// Decides what happens on a command; nothing, if it is done already.
///
/// # Errors
///
/// The rule that forbids it.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
    let changes = match (&state.0, &command.act) {
        (None, Act::Plan(plan)) => vec![Change::Planned(plan.clone())],
        // A tandem that ends before it was active has nothing to end.
        (None, Act::End(_)) => vec![],
        (None, _) => return Err(Rejection::UnknownSeries),
        (Some(series), _) if series.edition != command.edition => return Err(Rejection::OtherEdition),
        (Some(series), act) => series.decide(act, command.now)?,
    };
    let event = |change| Event { tandem: command.tandem, edition: command.edition, change };
    Ok(changes.into_iter().map(event).collect())
}

impl Series {
    fn decide(&self, act: &Act, now: Timestamp) -> Result<Vec<Change>, Rejection> {
        match act {
            Act::Plan(_) => Ok(vec![]),
            Act::End(ending) => Ok(unless(self.ended, Change::Ended(*ending, now))),
            Act::AcceptCharter(side) => {
                Ok(unless(self.charter.contains(side), Change::CharterAccepted(*side)))
            }
            Act::Hold(session, answered) => self.hold(*session, answered, now),
            Act::Move(to) => self.relocate(to, now),
            Act::Cancel(session, side) => self.cancel(*session, *side, Cause::Own),
            Act::Excuse(session, side) => self.cancel(*session, *side, Cause::Approved),
            Act::Pause(session, side) => self.pause(*session, *side),
            Act::Resume(session, start) => self.resume(*session, *start),
            Act::Miss(session, side) => self.miss(*session, *side, now),
            Act::AskQuestion(question) => {
                let asked = self.questions.contains_key(&question.id);
                self.while_running(asked, Change::QuestionAsked(question.clone()))
            }
            Act::AgreeAction(action) => {
                let agreed = self.actions.contains_key(&action.id);
                self.while_running(agreed, Change::ActionAgreed(action.clone()))
            }
            Act::CompleteAction(action) => self.complete(*action),
            Act::AnswerPulse(session, side, pulse) => self.answer(*session, *side, *pulse),
        }
    }

    /// Holding again is no contradiction: it may answer further questions.
    fn hold(
        &self,
        session: SessionId,
        answered: &[QuestionId],
        now: Timestamp,
    ) -> Result<Vec<Change>, Rejection> {
        let (_, planned, standing) = self.find(session)?;
        let mut changes = match standing {
            Standing::Held => vec![],
            Standing::Planned if self.charter.len() < 2 => return Err(Rejection::CharterNotAccepted),
            Standing::Planned if now < planned.start => return Err(Rejection::NotYet),
            Standing::Planned => vec![outcome(&planned, Outcome::Held)],
            _ => return Err(Rejection::TerminalState),
        };
        for question in answered {
            match self.questions.get(question) {
                Some(None) => changes.push(Change::QuestionAnswered(*question, session)),
                Some(Some(earlier)) if *earlier == session => {}
                _ => return Err(Rejection::QuestionNotOpen),
            }
        }
        Ok(changes)
    }

    fn relocate(&self, to: &Move, now: Timestamp) -> Result<Vec<Change>, Rejection> {
        let Move { session, side, start, ref busy } = *to;
        let (_, planned, standing) = self.find(session)?;
        if standing != Standing::Planned {
            return Err(Rejection::TerminalState);
        }
        if planned.start == start {
            return Ok(vec![]);
        }
        if self.ended {
            return Err(Rejection::SeriesEnded);
        }
        if start <= now {
            return Err(Rejection::StartInThePast);
        }
        // Planning and every move keep a session in its calendar month, so the month it is in now is the right one.
        let month_of = |time| self.time_zone.to_datetime(time).date().first_of_month();
        if month_of(start) != month_of(planned.start) {
            return Err(Rejection::MoveOutsideMonth);
        }
        let slot = Slot::of_minutes(start, planned.minutes);
        if busy.iter().any(|other| other.overlaps(&slot)) {
            return Err(Rejection::Collision);
        }
        Ok(vec![outcome(&planned, Outcome::Moved(side, start))])
    }

    fn cancel(&self, session: SessionId, side: Side, cause: Cause) -> Result<Vec<Change>, Rejection> {
        let (index, planned, standing) = self.find(session)?;
        match standing {
            Standing::Planned => {}
            Standing::Cancelled { side: by, cause: before }
                if by == side && before.is_approved() == cause.is_approved() =>
            {
                return Ok(vec![]);
            }
            _ => return Err(Rejection::TerminalState),
        }
        let cancelled = outcome(&planned, Outcome::Cancelled { side, cause });
        let alert = row::completed_by(&self.sessions, index, side, cause).map(Change::OfficeAlerted);
        Ok([cancelled].into_iter().chain(alert).collect())
    }

    /// What has come to another end meanwhile needs no leave to be off.
    fn pause(&self, session: SessionId, side: Side) -> Result<Vec<Change>, Rejection> {
        let (_, _, standing) = self.find(session)?;
        if standing == Standing::Planned { self.cancel(session, side, Cause::OnLeave) } else { Ok(vec![]) }
    }

    /// Only what a leave has put off comes back, and only while the two still meet.
    fn resume(&self, session: SessionId, start: Timestamp) -> Result<Vec<Change>, Rejection> {
        let (_, planned, standing) = self.find(session)?;
        let on_leave = matches!(standing, Standing::Cancelled { cause: Cause::OnLeave, .. });
        Ok(if on_leave && !self.ended { vec![outcome(&planned, Outcome::Resumed(start))] } else { vec![] })
    }

    fn miss(&self, session: SessionId, side: Side, now: Timestamp) -> Result<Vec<Change>, Rejection> {
        let (_, planned, standing) = self.find(session)?;
        match standing {
            Standing::Planned if now < planned.start => Err(Rejection::NotYet),
            Standing::Planned => Ok(vec![outcome(&planned, Outcome::Missed(side))]),
            same if same == Standing::Missed(side) => Ok(vec![]),
            _ => Err(Rejection::TerminalState),
        }
    }

    fn complete(&self, action: ActionId) -> Result<Vec<Change>, Rejection> {
        let completed = *self.actions.get(&action).ok_or(Rejection::UnknownAction)?;
        Ok(unless(completed, Change::ActionCompleted(action)))
    }

    fn answer(&self, session: SessionId, side: Side, pulse: Pulse) -> Result<Vec<Change>, Rejection> {
        let (_, _, standing) = self.find(session)?;
        if standing != Standing::Held {
            return Err(Rejection::NotHeld);
        }
        match self.pulses.get(&(session, side)) {
            // Who answers nothing may still answer later.
            None if pulse == Pulse::default() => Ok(vec![]),
            None => Ok(vec![Change::PulseAnswered(session, side, pulse)]),
            Some(same) if *same == pulse => Ok(vec![]),
            Some(_) => Err(Rejection::AlreadyAnswered),
        }
    }

    fn while_running(&self, done: bool, change: Change) -> Result<Vec<Change>, Rejection> {
        if self.ended && !done { Err(Rejection::SeriesEnded) } else { Ok(unless(done, change)) }
    }

    fn find(&self, id: SessionId) -> Result<(usize, PlannedSession, Standing), Rejection> {
        let index = self.sessions.iter().position(|session| session.planned.id == id);
        let index = index.ok_or(Rejection::UnknownSession)?;
        let session = self.sessions[index];
        Ok((index, session.planned, session.standing))
    }
}

fn outcome(planned: &PlannedSession, outcome: Outcome) -> Change {
    Change::Session(Occasion { session: planned.id, month: planned.month }, outcome)
}

/// The change, or nothing if it happened before.
fn unless(done: bool, change: Change) -> Vec<Change> {
    if done { vec![] } else { vec![change] }
}
