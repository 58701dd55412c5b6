//! The rules of a tandem.

use jiff::Timestamp;

use super::need::ask;
use super::{Action, Change, Command, Event, Known, Rejection, State, Status, Withdrawal};
use crate::domain::{Side, place};

/// Decides what happens on a command.
///
/// # Errors
/// The rule that forbids it.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
    let changes = match (&command.action, &state.0) {
        (Action::Publish(_) | Action::Propose(_), Some(_)) => Vec::new(),
        (Action::Publish(offer), None) => vec![Change::Published(*offer)],
        (Action::Propose(proposal), None) => vec![Change::Published(proposal.check()?)],
        (_, None) => return Err(Rejection::Unknown),
        (_, Some(known)) if known.key.edition != command.key.edition => return Err(Rejection::OtherEdition),
        (action, Some(known)) => step(known, action)?,
    };
    Ok(changes.into_iter().map(|change| Event { key: command.key, change }).collect())
}

/// The changes that an action makes; none if they were made before, or the system asks for something that is past.
fn step(known: &Known, action: &Action) -> Result<Vec<Change>, Rejection> {
    let &Known { pair, status, .. } = known;
    let change = match action {
        Action::Publish(_) | Action::Propose(_) => return Ok(Vec::new()),
        Action::Accept { side, now } => return accept(known, *side, *now),
        Action::Ask { asking, now } => ask(known, asking, *now)?,
        Action::Veto(side) => refuse(known, *side, Side::Mentee, Change::Vetoed(pair))?,
        Action::Decline(side) => refuse(known, *side, Side::Mentor, Change::Declined(pair))?,
        Action::Dissolve { side, never_again, sealed_reason } => match status {
            Status::Active => Some(Change::Dissolved {
                pair,
                side: Some(*side),
                left_company: false,
                never_again: *never_again,
                sealed_reason: sealed_reason.clone(),
            }),
            Status::Published => return Err(Rejection::NotActive),
            // Whoever asks for something else than was recorded must not believe that it was.
            Status::Dissolved
                if known.refused_or_ended_by == Some(*side)
                    && known.never_again_by == never_again.then_some(*side) =>
            {
                None
            }
            over => return Err(Rejection::Over(over)),
        },
        Action::Lapse { now } => (*now >= known.answer_by).then(|| expire(known)).flatten(),
        Action::Leave(side) => end_without_fault(known, Some(*side)),
        Action::ExcuseMentee => end_without_fault(known, None),
        Action::WithdrawMentor => (status == Status::Published).then_some(Change::Declined(pair)),
        Action::Complete if status == Status::Active => Some(Change::Completed(pair)),
        Action::Complete => expire(known),
        Action::Examine { breaks } => examine(known, *breaks),
        Action::Withdraw(why) => withdraw(known, *why)?,
    };
    Ok(change.into_iter().collect())
}

fn accept(known: &Known, side: Side, now: Timestamp) -> Result<Vec<Change>, Rejection> {
    let (own, other) = match side {
        Side::Mentor => (known.mentor_accepted, known.mentee_accepted),
        Side::Mentee => (known.mentee_accepted, known.mentor_accepted),
    };
    match known.status {
        Status::Published if own => Ok(Vec::new()),
        Status::Published if now >= known.answer_by => Err(Rejection::AnswerTimeOver(known.answer_by)),
        Status::Published if other => Ok(vec![Change::Accepted(side), Change::Activated(known.pair)]),
        Status::Published => Ok(vec![Change::Accepted(side)]),
        // An active tandem has both acceptances.
        Status::Active => Ok(Vec::new()),
        // Whoever comes second hears the same, however much later.
        _ if known.withdrawn == Some(Withdrawal::PlaceTaken) => Err(place::Rejection::NoPlaceLeft.into()),
        over => Err(Rejection::Over(over)),
    }
}

fn refuse(known: &Known, side: Side, whose: Side, change: Change) -> Result<Option<Change>, Rejection> {
    if side != whose {
        return Err(Rejection::WrongSide(side));
    }
    match known.status {
        Status::Published => Ok(Some(change)),
        Status::Active => Err(Rejection::Active),
        Status::Dissolved if known.refused_or_ended_by == Some(side) => Ok(None),
        over => Err(Rejection::Over(over)),
    }
}

/// Ends what is live, because one side leaves the company or else because nobody needs it any more.
fn end_without_fault(known: &Known, leaver: Option<Side>) -> Option<Change> {
    is_live(known.status).then(|| Change::Dissolved {
        pair: known.pair,
        side: leaver,
        left_company: leaver.is_some(),
        never_again: false,
        sealed_reason: Vec::new(),
    })
}

fn examine(known: &Known, breaks: bool) -> Option<Change> {
    let change = if breaks { Change::Flagged } else { Change::Cleared };
    (is_live(known.status) && known.flagged != breaks).then_some(change)
}

/// An offer whose place is gone can become no tandem, whoever has accepted it; moving one needs that both are silent.
fn withdraw(known: &Known, why: Withdrawal) -> Result<Option<Change>, Rejection> {
    let answered = [Side::Mentor, Side::Mentee].into_iter().find(|side| !known.is_silent(*side));
    match (known.status, why, answered) {
        (Status::Published, Withdrawal::Moved, Some(side)) => Err(Rejection::Answered(side)),
        (Status::Published, ..) => Ok(Some(Change::Withdrawn(known.pair, why))),
        (Status::Withdrawn, ..) if known.withdrawn == Some(why) => Ok(None),
        (Status::Active, ..) => Err(Rejection::Active),
        (over, ..) => Err(Rejection::Over(over)),
    }
}

fn is_live(status: Status) -> bool {
    matches!(status, Status::Published | Status::Active)
}

fn expire(known: &Known) -> Option<Change> {
    (known.status == Status::Published).then_some(Change::Expired {
        pair: known.pair,
        mentor_silent: known.is_silent(Side::Mentor),
        mentee_silent: known.is_silent(Side::Mentee),
    })
}
