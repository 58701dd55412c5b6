//! A tandem: published, active, ended.

mod proposal;

use std::fmt;

use identity::{EditionId, MatchRunId, TandemId};
use jiff::Timestamp;

use crate::domain::pairing::{Points, Rule};
use crate::domain::{Pair, Phase, Side, place};

pub use proposal::Proposal;

/// Which tandem it is, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The tandem.
    pub tandem: TandemId,
    /// The edition.
    pub edition: EditionId,
}

impl Key {
    /// The tandem that a run makes of a pair, always the same.
    #[must_use]
    pub fn of_run(run: MatchRunId, edition: EditionId, pair: Pair) -> Self {
        let name: Vec<u8> =
            [pair.mentor, pair.mentee].iter().flat_map(|person| person.uuid().into_bytes()).collect();
        Self { tandem: TandemId::derived(run.uuid(), &name), edition }
    }
}

/// Where a tandem stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Offered to both sides.
    Published,
    /// Both accepted.
    Active,
    /// Met until the end of the edition.
    Completed,
    /// Refused or ended by a side.
    Dissolved,
    /// Not answered in time.
    Expired,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Published, Self::Active, Self::Completed, Self::Dissolved, Self::Expired];

    /// The status as it is stored and said.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Dissolved => "dissolved",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A pair that is offered to both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The two.
    pub pair: Pair,
    /// The run it comes from; none when proposed by hand.
    pub run: Option<MatchRunId>,
    /// What the score is made of.
    pub points: Points,
    /// The end of the time to answer.
    pub answer_by: Timestamp,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub struct Command {
    /// The tandem, and the edition that the caller names.
    pub key: Key,
    /// What is asked.
    pub action: Action,
}

/// What may be asked of a tandem.
#[derive(Clone, Debug)]
pub enum Action {
    /// Offer a pair of a reviewed run.
    Publish(Offer),
    /// Offer a pair by hand.
    Propose(Box<Proposal>),
    /// Accept, for one side.
    Accept {
        /// The side.
        side: Side,
        /// When.
        now: Timestamp,
    },
    /// Refuse as the mentee, without a reason.
    Veto(Side),
    /// Refuse as the mentor.
    Decline(Side),
    /// End an active tandem without fault.
    Dissolve {
        /// Who ends it.
        side: Side,
        /// Whether the two are never paired again.
        never_again: bool,
        /// Why, sealed with the author's key; empty when nothing was said.
        sealed_reason: Vec<u8>,
    },
    /// The time to answer may be over.
    Lapse {
        /// When.
        now: Timestamp,
    },
    /// One side leaves the company.
    Leave(Side),
    /// The mentor's application was taken back.
    WithdrawMentor,
    /// The mentee's obligation was excused.
    ExcuseMentee,
    /// The edition is over.
    Complete,
    /// A change in the organisation breaks a hard rule.
    Flag,
}

/// What can happen to a tandem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which tandem it is, and of what.
    pub key: Key,
    /// What happened.
    pub change: Change,
}

/// A change of a tandem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Was offered to both sides.
    Published(Offer),
    /// A side accepted.
    Accepted(Side),
    /// Both accepted, and the places are taken.
    Activated(Pair),
    /// The mentee refused.
    Vetoed(Pair),
    /// The mentor refused.
    Declined(Pair),
    /// The time to answer ended.
    Expired {
        /// The two.
        pair: Pair,
        /// Whether the mentor was silent.
        mentor_silent: bool,
        /// Whether the mentee was silent.
        mentee_silent: bool,
    },
    /// Ended without fault.
    Dissolved {
        /// The two.
        pair: Pair,
        /// Who ended it.
        side: Option<Side>,
        /// Whether because this side left the company.
        left_company: bool,
        /// Whether the two are never paired again.
        never_again: bool,
        /// Why, sealed with the author's key; empty when nothing was said.
        sealed_reason: Vec<u8>,
    },
    /// Met until the end of the edition.
    Completed(Pair),
    /// A change in the organisation breaks a hard rule.
    Flagged,
}

/// What is known of a tandem; nothing before it is published.
#[derive(Clone, Debug, Default)]
pub struct State(Option<Known>);

#[derive(Clone, Copy, Debug)]
struct Known {
    key: Key,
    pair: Pair,
    answer_by: Timestamp,
    status: Status,
    mentor_accepted: bool,
    mentee_accepted: bool,
    refused_or_ended_by: Option<Side>,
    flagged: bool,
}

impl State {
    /// The two, once they were paired.
    #[must_use]
    pub fn pair(&self) -> Option<Pair> {
        self.0.map(|known| known.pair)
    }

    /// Whether the two hold their places.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.0.is_some_and(|known| known.status == Status::Active)
    }
}

/// Why a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It was never published.
    #[error("There is no such tandem.")]
    Unknown,
    /// The command names an edition that the tandem is not part of.
    #[error("The tandem belongs to another edition.")]
    OtherEdition,
    /// Tandems are formed in some phases only.
    #[error("The edition is {0}; tandems are formed only while it is matching or running.")]
    EditionNotMatching(Phase),
    /// One of the two takes no part.
    #[error("The {0} takes no part: a mentor is accepted, a mentee has acknowledged.")]
    NotTakingPart(Side),
    /// The two may not be paired.
    #[error("{0}")]
    Breaks(Rule),
    /// The same two have an offer.
    #[error("The two have an offer already that waits for an answer.")]
    OfferedAlready,
    /// A veto is the mentee's, declining the mentor's.
    #[error("This is not for the {0} to do.")]
    WrongSide(Side),
    /// Silence has ended the offer.
    #[error("The time to answer was over at {0}.")]
    AnswerTimeOver(Timestamp),
    /// An active tandem is dissolved, not refused.
    #[error("The tandem is active; it can be dissolved, not refused.")]
    Active,
    /// An offer is refused, not dissolved.
    #[error("The tandem is not active yet; it can be refused, not dissolved.")]
    NotActive,
    /// Nothing leaves a terminal state.
    #[error("The tandem is {0} and stays as it is.")]
    Over(Status),
    /// There is no place, or no veto.
    #[error(transparent)]
    Place(#[from] place::Rejection),
}

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
            Status::Dissolved if known.refused_or_ended_by == Some(*side) => None,
            over => return Err(Rejection::Over(over)),
        },
        Action::Lapse { now } => (*now >= known.answer_by).then(|| expire(known)).flatten(),
        Action::Leave(side) => end_without_fault(known, Some(*side)),
        Action::ExcuseMentee => end_without_fault(known, None),
        Action::WithdrawMentor => (status == Status::Published).then_some(Change::Declined(pair)),
        Action::Complete if status == Status::Active => Some(Change::Completed(pair)),
        Action::Complete => expire(known),
        Action::Flag => (is_live(status) && !known.flagged).then_some(Change::Flagged),
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

fn is_live(status: Status) -> bool {
    matches!(status, Status::Published | Status::Active)
}

fn expire(known: &Known) -> Option<Change> {
    (known.status == Status::Published).then_some(Change::Expired {
        pair: known.pair,
        mentor_silent: !known.mentor_accepted,
        mentee_silent: !known.mentee_accepted,
    })
}

/// Takes an event into the state.
pub fn evolve(state: &mut State, event: &Event) {
    if let Change::Published(offer) = &event.change {
        state.0 = Some(Known {
            key: event.key,
            pair: offer.pair,
            answer_by: offer.answer_by,
            status: Status::Published,
            mentor_accepted: false,
            mentee_accepted: false,
            refused_or_ended_by: None,
            flagged: false,
        });
    }
    // Nothing else can happen to a tandem that was never published.
    let Some(known) = &mut state.0 else { return };
    match &event.change {
        Change::Published(_) => {}
        Change::Accepted(Side::Mentor) => known.mentor_accepted = true,
        Change::Accepted(Side::Mentee) => known.mentee_accepted = true,
        Change::Activated(_) => known.status = Status::Active,
        Change::Vetoed(_) => known.end(Status::Dissolved, Some(Side::Mentee)),
        Change::Declined(_) => known.end(Status::Dissolved, Some(Side::Mentor)),
        Change::Expired { .. } => known.end(Status::Expired, None),
        Change::Dissolved { side, .. } => known.end(Status::Dissolved, *side),
        Change::Completed(_) => known.end(Status::Completed, None),
        Change::Flagged => known.flagged = true,
    }
}

impl Known {
    fn end(&mut self, status: Status, by: Option<Side>) {
        self.status = status;
        self.refused_or_ended_by = by;
    }
}

#[cfg(test)]
mod tests;
