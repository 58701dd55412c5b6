//! An obligation: due, acknowledged, and how it ends.

use std::fmt;

use identity::{EditionId, ObligationId, PersonId};
use jiff::civil::Date;

use crate::domain::availability::{Availability, EmptyWindow};
use crate::domain::edition::Phase;
use crate::domain::first_repeated;

/// Whose obligation it is, and in what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The obligation.
    pub obligation: ObligationId,
    /// The edition.
    pub edition: EditionId,
    /// The executive.
    pub person: PersonId,
}

impl Key {
    /// The key of a person's only obligation in an edition.
    #[must_use]
    pub fn of(edition: EditionId, person: PersonId) -> Self {
        let obligation = ObligationId::derived(edition.uuid(), person.uuid().as_bytes());
        Self { obligation, edition, person }
    }
}

/// Where an obligation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not acknowledged yet.
    Due,
    /// Taken on.
    Acknowledged,
    /// Met through to the end.
    Fulfilled,
    /// Released.
    Excused,
    /// The edition ended without it.
    Lapsed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Due, Self::Acknowledged, Self::Fulfilled, Self::Excused, Self::Lapsed];

    /// The status as it is stored and said.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Acknowledged => "acknowledged",
            Self::Fulfilled => "fulfilled",
            Self::Excused => "excused",
            Self::Lapsed => "lapsed",
        }
    }

    /// Whether nothing can happen to the obligation any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Fulfilled | Self::Excused | Self::Lapsed)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Why an executive is excused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExcuseReason {
    /// On leave for most of the edition.
    LongLeave,
    /// Leaves the company or the role.
    Leaving,
    /// Took part before and keeps the practice alive.
    AlreadyPractised,
    /// Decided by the board.
    BoardDecision,
}

impl ExcuseReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::LongLeave, Self::Leaving, Self::AlreadyPractised, Self::BoardDecision];

    /// The reason as it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LongLeave => "long_leave",
            Self::Leaving => "leaving",
            Self::AlreadyPractised => "already_practised",
            Self::BoardDecision => "board_decision",
        }
    }
}

/// What an executive knows of a topic, and whether to learn it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The topic's short name.
    pub topic: String,
    /// 0 never heard of it … 4 could teach it.
    pub level: i32,
    /// Whether the executive wants to learn it.
    pub wanted: bool,
}

/// What an executive says when taking the obligation on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Per topic of the catalogue.
    pub needs: Vec<Need>,
    /// What the executive wants to reach, sealed with their key.
    pub sealed_goals: Vec<u8>,
    /// People the executive would like to learn from, at most three.
    pub wishes: Vec<PersonId>,
    /// When and in which languages.
    pub availability: Availability,
}

/// What may be asked of an obligation.
#[derive(Clone, Debug)]
pub enum Command {
    /// The edition opens and obliges the executive.
    Raise {
        /// Whose obligation it is, and in what.
        key: Key,
        /// The day by which to acknowledge.
        due_date: Date,
    },
    /// The executive takes it on.
    Acknowledge {
        /// The edition that the caller names.
        edition: EditionId,
        /// Where that edition is.
        phase: Phase,
        /// The edition's catalogue.
        topics: Vec<String>,
        /// What the executive says.
        acknowledgement: Box<Acknowledgement>,
    },
    /// The executive is released.
    Excuse {
        /// The edition that the caller names.
        edition: EditionId,
        /// Why.
        reason: ExcuseReason,
        /// Who approves.
        approver: PersonId,
    },
    /// The executive has left the company.
    Leave,
    /// The executive has come back: what ended when they left begins anew.
    Return {
        /// The day by which to acknowledge.
        due_date: Date,
    },
    /// The days go by.
    Escalate {
        /// The day in the edition's zone.
        today: Date,
    },
    /// The executive's tandem has met until the end.
    Fulfil,
    /// The edition ends without it.
    Lapse,
}

/// What can happen to an obligation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose obligation it is, and in what.
    pub key: Key,
    /// What happened.
    pub change: Change,
}

/// A change of an obligation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The executive is obliged, and acknowledges by this day.
    Raised(Date),
    /// The executive took it on.
    Acknowledged(Box<Acknowledgement>),
    /// The due date passed: 1 reminds the executive, 2 the assistant, 3 the sponsor.
    Escalated(i32),
    /// The executive was released, approved by this person; by nobody if it ended because they left the company.
    Excused(ExcuseReason, Option<PersonId>),
    /// The executive met through to the end.
    Fulfilled,
    /// The edition ended without it.
    Lapsed,
}

/// What is known of an obligation; nothing before it is raised.
#[derive(Clone, Debug, Default)]
pub struct State(Option<Known>);

#[derive(Clone, Copy, Debug)]
struct Known {
    key: Key,
    status: Status,
    due_date: Date,
    escalation: i32,
    excuse: Option<ExcuseReason>,
    /// Whether it ended because the executive left the company.
    left: bool,
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It was never raised.
    #[error("There is no such obligation.")]
    Unknown,
    /// The command names an edition that the obligation is not part of.
    #[error("The obligation belongs to another edition.")]
    OtherEdition,
    /// There is nothing to prepare for any more.
    #[error("The edition is {0}; an obligation is acknowledged before the edition is over.")]
    EditionOver(Phase),
    /// The status does not allow it.
    #[error("The obligation is {0}; this is not possible any more, or not yet.")]
    WrongStatus(Status),
    /// To acknowledge is to go through the whole catalogue.
    #[error("The topic {0} of the edition's catalogue is not answered.")]
    TopicMissing(String),
    /// The catalogue is what is taught.
    #[error("The topic {0} is not in the edition's catalogue.")]
    UnknownTopic(String),
    /// Which of the two answers would count?
    #[error("The topic {0} is answered twice.")]
    TopicTwice(String),
    /// A wish is for somebody else.
    #[error("The executive is on their own list of wishes.")]
    WishesThemselves,
    /// A stretch of the week has no length.
    #[error(transparent)]
    EmptyWindow(#[from] EmptyWindow),
    /// The approver is somebody else.
    #[error("An executive is excused by somebody else.")]
    ExcusesThemselves,
}

/// Days from one reminder to the next.
const ESCALATION_DAYS: i32 = 7;
/// The last reminder goes to the sponsor.
pub const ESCALATION_MAX: i32 = 3;

/// Decides what happens on a command.
///
/// # Errors
/// The rule that forbids it.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
    if let Command::Raise { key, due_date } = command {
        let event = Event { key: *key, change: Change::Raised(*due_date) };
        return Ok(if state.0.is_none() { vec![event] } else { Vec::new() });
    }
    let known = state.0.ok_or(Rejection::Unknown)?;
    let changes = match command {
        // Answered above.
        Command::Raise { .. } => Vec::new(),
        Command::Acknowledge { edition, phase, topics, acknowledgement } => {
            known.require_edition(*edition)?;
            vec![acknowledge(known, *phase, topics, acknowledgement)?]
        }
        Command::Excuse { edition, reason, approver } => {
            known.require_edition(*edition)?;
            excuse(known, *reason, *approver)?
        }
        Command::Leave => match known.status {
            Status::Due | Status::Acknowledged => vec![Change::Excused(ExcuseReason::Leaving, None)],
            Status::Fulfilled | Status::Excused | Status::Lapsed => Vec::new(),
        },
        Command::Return { due_date } => known.left.then_some(Change::Raised(*due_date)).into_iter().collect(),
        Command::Escalate { today } => escalate(known, *today),
        Command::Fulfil => match known.status {
            Status::Acknowledged => vec![Change::Fulfilled],
            Status::Fulfilled => Vec::new(),
            status => return Err(Rejection::WrongStatus(status)),
        },
        Command::Lapse => match known.status {
            Status::Due | Status::Acknowledged => vec![Change::Lapsed],
            // What has ended otherwise in the same moment does not keep the edition from ending.
            Status::Fulfilled | Status::Excused | Status::Lapsed => Vec::new(),
        },
    };
    Ok(changes.into_iter().map(|change| Event { key: known.key, change }).collect())
}

fn acknowledge(
    known: Known,
    phase: Phase,
    topics: &[String],
    acknowledgement: &Acknowledgement,
) -> Result<Change, Rejection> {
    if phase.is_over() {
        return Err(Rejection::EditionOver(phase));
    }
    if known.status != Status::Due {
        return Err(Rejection::WrongStatus(known.status));
    }
    let needs = &acknowledgement.needs;
    if let Some(need) = needs.iter().find(|need| !topics.contains(&need.topic)) {
        return Err(Rejection::UnknownTopic(need.topic.clone()));
    }
    if let Some(topic) = first_repeated(needs.iter().map(|need| need.topic.as_str())) {
        return Err(Rejection::TopicTwice(topic.to_owned()));
    }
    if let Some(topic) = topics.iter().find(|topic| needs.iter().all(|need| need.topic != **topic)) {
        return Err(Rejection::TopicMissing(topic.clone()));
    }
    if acknowledgement.wishes.contains(&known.key.person) {
        return Err(Rejection::WishesThemselves);
    }
    acknowledgement.availability.check()?;
    Ok(Change::Acknowledged(Box::new(acknowledgement.clone())))
}

fn excuse(known: Known, reason: ExcuseReason, approver: PersonId) -> Result<Vec<Change>, Rejection> {
    match known.status {
        Status::Due | Status::Acknowledged if approver == known.key.person => {
            Err(Rejection::ExcusesThemselves)
        }
        Status::Due | Status::Acknowledged => Ok(vec![Change::Excused(reason, Some(approver))]),
        Status::Excused if known.excuse == Some(reason) => Ok(Vec::new()),
        status => Err(Rejection::WrongStatus(status)),
    }
}

/// The reminders that have become due since the last one.
fn escalate(known: Known, today: Date) -> Vec<Change> {
    if known.status != Status::Due {
        return Vec::new();
    }
    let days = (today - known.due_date).get_days();
    let step = (days / ESCALATION_DAYS).min(ESCALATION_MAX);
    (known.escalation + 1..=step).map(Change::Escalated).collect()
}

impl Known {
    fn require_edition(self, edition: EditionId) -> Result<(), Rejection> {
        if self.key.edition == edition { Ok(()) } else { Err(Rejection::OtherEdition) }
    }
}

/// Takes an event into the state.
pub fn evolve(state: &mut State, event: &Event) {
    if let Change::Raised(due_date) = event.change {
        let (key, status) = (event.key, Status::Due);
        state.0 = Some(Known { key, status, due_date, escalation: 0, excuse: None, left: false });
    }
    let Some(known) = &mut state.0 else { return };
    match &event.change {
        Change::Raised(_) => {}
        Change::Acknowledged(_) => known.status = Status::Acknowledged,
        Change::Escalated(step) => known.escalation = *step,
        Change::Excused(reason, approver) => {
            known.left = approver.is_none();
            known.status = Status::Excused;
            known.excuse = Some(*reason);
        }
        Change::Fulfilled => known.status = Status::Fulfilled,
        Change::Lapsed => known.status = Status::Lapsed,
    }
}

#[cfg(test)]
mod tests;
