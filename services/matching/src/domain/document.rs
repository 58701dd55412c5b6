//! The scoring rules of an edition as a document: set, version after version, or copied with the edition.

use identity::{EditionId, PersonId};

use crate::domain::Phase;
use crate::domain::scoring::{Scoring, ScoringRules};

/// Where scoring rules come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This person set them.
    Set(PersonId),
    /// They came with the edition from which theirs was copied.
    Copied(EditionId),
}

/// What is asked: that these rules are in force.
#[derive(Clone, Debug)]
pub struct Command {
    /// The edition.
    pub edition: EditionId,
    /// Where it is.
    pub phase: Phase,
    /// The rules.
    pub rules: ScoringRules,
    /// Where they come from.
    pub origin: Origin,
}

/// Other rules are in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The edition.
    pub edition: EditionId,
    /// The new version.
    pub scoring: Scoring,
    /// Where the rules come from.
    pub origin: Origin,
}

/// The version in force; the default of every edition at first.
pub type State = Scoring;

/// Why rules are not put into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Nobody is matched any more.
    #[error("The edition is {0}; its scoring rules stay as they are.")]
    EditionOver(Phase),
}

/// Decides what happens on a command.
///
/// # Errors
/// The rule that forbids it.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
    let Command { edition, phase, rules, origin } = command;
    if matches!(phase, Phase::Completed | Phase::Archived) {
        return Err(Rejection::EditionOver(*phase));
    }
    if *rules == state.rules {
        return Ok(Vec::new());
    }
    let scoring = Scoring { version: state.version.saturating_add(1), rules: rules.clone() };
    Ok(vec![Event { edition: *edition, scoring, origin: *origin }])
}

/// Takes an event into the state.
pub fn evolve(state: &mut State, event: &Event) {
    *state = event.scoring.clone();
}

#[cfg(test)]
pub(crate) mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::inputs::tests::person;
    use crate::domain::scoring::Criterion;

    pub(crate) fn other_rules() -> ScoringRules {
        let weights = ScoringRules::default().weights();
        let weights = weights.with(Criterion::Topics, 4_000).with(Criterion::MenteeWish, 1_600);
        ScoringRules::try_new(weights, &[2_500]).unwrap()
    }

    fn command(phase: Phase, rules: ScoringRules) -> Command {
        let edition = EditionId::from_uuid(Uuid::from_u128(7));
        Command { edition, phase, rules, origin: Origin::Set(person(50)) }
    }

    #[test]
    fn every_change_is_another_version() {
        let mut state = State::default();
        for (version, rules) in [(1, other_rules()), (2, ScoringRules::default())] {
            let events = decide(&state, &command(Phase::Matching, rules.clone())).unwrap();
            let [event] = events.as_slice() else { panic!("{events:?}") };
            assert_eq!(event.scoring, Scoring { version, rules });
            evolve(&mut state, event);
        }
        assert_eq!(decide(&state, &command(Phase::Matching, ScoringRules::default())), Ok(vec![]));
    }

    #[test]
    fn scoring_rules_end_with_the_meetings() {
        for phase in Phase::ALL {
            let outcome = decide(&State::default(), &command(phase, other_rules()));
            let over = matches!(phase, Phase::Completed | Phase::Archived);
            assert_eq!(outcome.is_err(), over, "{phase}");
        }
    }
}
