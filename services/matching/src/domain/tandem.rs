//! A tandem: published, active, ended.

mod decide;
mod need;
mod proposal;

use std::fmt;

use identity::{EditionId, MatchRunId, RepairId, TandemId};
use jiff::Timestamp;

use crate::domain::pairing::{Points, Rule};
use crate::domain::{Pair, Phase, Side, place};

pub use decide::decide;
pub use need::{Asking, Need};
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
        Self { tandem: TandemId::derived(run.uuid(), &pair.name()), edition }
    }

    /// The tandem that a repair makes of a pair, always the same.
    #[must_use]
    pub fn of_repair(repair: RepairId, edition: EditionId, pair: Pair) -> Self {
        Self { tandem: TandemId::derived(repair.uuid(), &pair.name()), edition }
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
    /// Taken back before both had answered.
    Withdrawn,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Published, Self::Active, Self::Completed, Self::Dissolved, Self::Expired, Self::Withdrawn];

    /// The status as it is stored and said.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Dissolved => "dissolved",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
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
    /// The run it comes from; none when proposed by hand, or by a repair.
    pub run: Option<MatchRunId>,
    /// The repair it comes from.
    pub repair: Option<RepairId>,
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

/// Why an offer is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// Another tandem has the place.
    PlaceTaken,
    /// A repair gives the mentee another offer.
    Moved,
}

/// What may be asked of a tandem.
#[derive(Clone, Debug)]
pub enum Action {
    /// Offer a pair of a reviewed run, or of a repair.
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
    /// Ask the programme office for information before answering.
    Ask {
        /// What is asked, with the time to answer as it would be put off.
        asking: Asking,
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
    /// The organisation has changed.
    Examine {
        /// Whether the two break a hard rule now.
        breaks: bool,
    },
    /// Take an offer back.
    Withdraw(Withdrawal),
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
    /// A side needs information before it can answer.
    Asked(Asking),
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
        /// Whether the mentor neither accepted nor asked.
        mentor_silent: bool,
        /// Whether the mentee neither accepted nor asked.
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
    /// No hard rule is broken any more.
    Cleared,
    /// An offer was taken back.
    Withdrawn(Pair, Withdrawal),
}

impl Change {
    /// The two, where the change names them.
    #[must_use]
    pub const fn pair(&self) -> Option<Pair> {
        match self {
            Self::Published(offer) => Some(offer.pair),
            Self::Activated(pair)
            | Self::Vetoed(pair)
            | Self::Declined(pair)
            | Self::Expired { pair, .. }
            | Self::Dissolved { pair, .. }
            | Self::Completed(pair)
            | Self::Withdrawn(pair, _) => Some(*pair),
            Self::Accepted(_) | Self::Asked(_) | Self::Flagged | Self::Cleared => None,
        }
    }
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
    mentor_needs: Option<Need>,
    mentee_needs: Option<Need>,
    refused_or_ended_by: Option<Side>,
    never_again_by: Option<Side>,
    withdrawn: Option<Withdrawal>,
    flagged: bool,
}

impl State {
    /// The two, once they were paired.
    #[must_use]
    pub fn pair(&self) -> Option<Pair> {
        self.0.map(|known| known.pair)
    }

    /// Whether the two are offered to each other, and not both have accepted.
    #[must_use]
    pub fn is_offered(&self) -> bool {
        self.0.is_some_and(|known| known.status == Status::Published)
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
    /// A side has answered, or asked before it does: the offer is not moved, and the side asks no more.
    #[error("The {0} has answered the offer, or asked about it.")]
    Answered(Side),
    /// An active tandem is dissolved, not refused.
    #[error("The tandem is active; it can be dissolved, and nothing else.")]
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
            mentor_needs: None,
            mentee_needs: None,
            refused_or_ended_by: None,
            never_again_by: None,
            withdrawn: None,
            flagged: false,
        });
    }
    // Nothing else can happen to a tandem that was never published.
    let Some(known) = &mut state.0 else { return };
    match &event.change {
        Change::Published(_) => {}
        Change::Accepted(Side::Mentor) => known.mentor_accepted = true,
        Change::Accepted(Side::Mentee) => known.mentee_accepted = true,
        Change::Asked(Asking { side, need, answer_by, .. }) => {
            known.answer_by = *answer_by;
            match side {
                Side::Mentor => known.mentor_needs = Some(*need),
                Side::Mentee => known.mentee_needs = Some(*need),
            }
        }
        Change::Activated(_) => known.status = Status::Active,
        Change::Vetoed(_) => known.end(Status::Dissolved, Some(Side::Mentee)),
        Change::Declined(_) => known.end(Status::Dissolved, Some(Side::Mentor)),
        Change::Expired { .. } => known.end(Status::Expired, None),
        Change::Dissolved { side, never_again, .. } => {
            known.end(Status::Dissolved, *side);
            known.never_again_by = side.filter(|_| *never_again);
        }
        Change::Completed(_) => known.end(Status::Completed, None),
        Change::Flagged => known.flagged = true,
        Change::Cleared => known.flagged = false,
        Change::Withdrawn(_, why) => {
            known.end(Status::Withdrawn, None);
            known.withdrawn = Some(*why);
        }
    }
}

impl Known {
    /// Whether a side has neither accepted nor asked: asking is an answer.
    const fn is_silent(&self, side: Side) -> bool {
        match side {
            Side::Mentor => !self.mentor_accepted && self.mentor_needs.is_none(),
            Side::Mentee => !self.mentee_accepted && self.mentee_needs.is_none(),
        }
    }

    fn end(&mut self, status: Status, by: Option<Side>) {
        self.status = status;
        self.refused_or_ended_by = by;
    }
}

#[cfg(test)]
mod tests;
