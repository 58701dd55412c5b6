//! A match run: staged, revised, reviewed, published.

use std::fmt;

use identity::{EditionId, MatchRunId, PersonId};

use crate::domain::Phase;
use crate::domain::difference::Difference;
use crate::domain::solution::{Staged, Unsolvable};

/// Which run it is, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The run.
    pub run: MatchRunId,
    /// The edition.
    pub edition: EditionId,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Computed, to be looked at.
    Staged,
    /// Looked at by a person.
    Reviewed,
    /// Offered to both sides.
    Published,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Staged, Self::Reviewed, Self::Published];

    /// The status as it is stored and said.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Reviewed => "reviewed",
            Self::Published => "published",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What may be asked of a run, and the circumstances.
#[derive(Clone, Debug)]
pub struct Command {
    /// The run, and the edition that the caller names.
    pub key: Key,
    /// Where that edition is.
    pub phase: Phase,
    /// What is asked.
    pub action: Action,
}

/// What may be asked of a run.
#[derive(Clone, Debug)]
pub enum Action {
    /// Compute a new run, or a run that was staged once more: nothing happens yet, but it is refused what would be refused then.
    Compute {
        /// Whether it was staged.
        again: bool,
    },
    /// Keep what was computed, as a new run.
    Stage(Result<Box<Staged>, Unsolvable>),
    /// Replace what was computed.
    Revise(Result<Box<Staged>, Unsolvable>),
    /// Confirm that this person has looked at it.
    Review(PersonId),
    /// Offer the tandems to both sides.
    Publish {
        /// Who does.
        by: PersonId,
        /// What has changed since the run was computed.
        changes: Vec<Difference>,
    },
}

/// What can happen to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which run it is, and of what.
    pub key: Key,
    /// What happened.
    pub change: Change,
}

/// A change of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Was computed.
    Staged(Box<Staged>),
    /// Was computed again.
    Revised(Box<Staged>),
    /// Was looked at by this person.
    Reviewed(PersonId),
    /// Was offered to both sides by this person.
    Published(PersonId),
}

/// What is known of a run; nothing before it is staged.
#[derive(Clone, Debug, Default)]
pub struct State(Option<Known>);

/// A run that was staged.
#[derive(Clone, Debug)]
pub struct Known {
    /// Which run it is, and of what.
    pub key: Key,
    /// Where it is.
    pub status: Status,
    /// What was found.
    pub staged: Box<Staged>,
}

impl State {
    /// The run, if it was staged.
    #[must_use]
    pub fn known(self) -> Option<Known> {
        self.0
    }
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It was never staged.
    #[error("There is no such match run.")]
    Unknown,
    /// The command names an edition that the run is not part of.
    #[error("The match run belongs to another edition.")]
    OtherEdition,
    /// Tandems are formed in some phases only.
    #[error("The edition is {0}; tandems are formed only while it is matching or running.")]
    EditionNotMatching(Phase),
    /// Nothing leaves a terminal state.
    #[error("The match run is published and stays as it is.")]
    Published,
    /// A person has to look at it first.
    #[error("The match run is staged; it is published only after a review.")]
    NotReviewed,
    /// The best answer may be another one by now.
    #[error(
        "People, applications or rules have changed since the run was computed, in {} places; compute it again.",
        .0.len()
    )]
    InputsChanged(Vec<Difference>),
    /// The answer may not be the best one.
    #[error("The independent check does not confirm that the run is optimal.")]
    Unproved,
    /// There is no solution.
    #[error(transparent)]
    Unsolvable(#[from] Unsolvable),
}

/// Decides what happens on a command.
///
/// # Errors
/// The rule that forbids it.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
    let Command { key, phase, action } = command;
    let change = match (&state.0, action) {
        (None, Action::Compute { again: false }) => {
            forms_tandems(*phase)?;
            None
        }
        (None, Action::Stage(result)) => {
            forms_tandems(*phase)?;
            Some(Change::Staged(result.clone()?))
        }
        (None, _) => return Err(Rejection::Unknown),
        (Some(known), _) if known.key.edition != key.edition => return Err(Rejection::OtherEdition),
        (Some(known), action) => step(known, *phase, action)?,
    };
    Ok(change.into_iter().map(|change| Event { key: *key, change }).collect())
}

fn forms_tandems(phase: Phase) -> Result<(), Rejection> {
    if phase.forms_tandems() { Ok(()) } else { Err(Rejection::EditionNotMatching(phase)) }
}

/// The change that an action makes; none if it was made before.
fn step(known: &Known, phase: Phase, action: &Action) -> Result<Option<Change>, Rejection> {
    match (action, known.status) {
        (Action::Stage(_), _)
        | (Action::Publish { .. }, Status::Published)
        | (Action::Review(_), Status::Reviewed) => Ok(None),
        (_, Status::Published) => Err(Rejection::Published),
        (Action::Compute { .. }, _) => {
            forms_tandems(phase)?;
            Ok(None)
        }
        (Action::Revise(result), _) => {
            forms_tandems(phase)?;
            let staged = result.clone()?;
            // The review was of what has been computed before; a result that is the same needs no other.
            Ok((staged != known.staged).then_some(Change::Revised(staged)))
        }
        (Action::Review(by), Status::Staged) => Ok(Some(Change::Reviewed(*by))),
        (Action::Publish { .. }, Status::Staged) => Err(Rejection::NotReviewed),
        (Action::Publish { by, changes }, Status::Reviewed) => {
            forms_tandems(phase)?;
            if !changes.is_empty() {
                return Err(Rejection::InputsChanged(changes.clone()));
            }
            if !known.staged.certificate.verified {
                return Err(Rejection::Unproved);
            }
            Ok(Some(Change::Published(*by)))
        }
    }
}

/// Takes an event into the state.
pub fn evolve(state: &mut State, event: &Event) {
    let key = event.key;
    match (&event.change, &mut state.0) {
        (Change::Staged(staged) | Change::Revised(staged), _) => {
            state.0 = Some(Known { key, status: Status::Staged, staged: staged.clone() });
        }
        (Change::Reviewed(_), Some(known)) => known.status = Status::Reviewed,
        (Change::Published(_), Some(known)) => known.status = Status::Published,
        // Nothing can happen to a run that was never staged.
        (Change::Reviewed(_) | Change::Published(_), None) => {}
    }
}

#[cfg(test)]
mod tests;
