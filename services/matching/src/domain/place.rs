//! A person's places on one side of an edition, and the mentee's one veto.

use std::collections::BTreeSet;

use identity::{EditionId, PersonId, TandemId};
use uuid::Uuid;

use crate::domain::Side;

/// Whose places, and in what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The edition.
    pub edition: EditionId,
    /// The person.
    pub person: PersonId,
}

impl Key {
    /// The stream of the places that the person has on this side.
    ///
    /// Somebody may teach and learn in the same edition: the one takes no place of the other.
    #[must_use]
    pub fn stream(self, side: Side) -> Uuid {
        let side = match side {
            Side::Mentor => 1,
            Side::Mentee => 2,
        };
        let mut name = [side; 17];
        name[1..].copy_from_slice(self.person.uuid().as_bytes());
        Uuid::new_v5(&self.edition.uuid(), &name)
    }
}

/// What may be asked.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Whose places, and in what.
    pub key: Key,
    /// The tandem it is about.
    pub tandem: TandemId,
    /// What is asked.
    pub action: Action,
}

/// What may be asked of places.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// Give a place to the tandem.
    Take {
        /// How many places there are.
        capacity: i32,
    },
    /// Take the place back from the tandem.
    Release,
    /// Use the veto on the tandem.
    SpendVeto,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose places, and in what.
    pub key: Key,
    /// The tandem it is about.
    pub tandem: TandemId,
    /// What happened.
    pub change: Change,
}

/// A change of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The tandem has a place.
    Taken,
    /// The place is free again.
    Released,
    /// The veto was used.
    VetoSpent,
}

/// Who has a place, and on whom the veto was used.
#[derive(Clone, Debug, Default)]
pub struct State {
    taken: BTreeSet<TandemId>,
    veto: Option<TandemId>,
}

/// Why a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Others have every place.
    #[error("The last place has just been taken.")]
    NoPlaceLeft,
    /// One veto an edition.
    #[error("The one veto of this edition has been used already.")]
    VetoSpent,
}

/// Decides what happens on a command.
///
/// # Errors
/// The rule that forbids it.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
    let Command { key, tandem, action } = *command;
    let has_place = state.taken.contains(&tandem);
    let change = match action {
        Action::Take { .. } if has_place => None,
        Action::Take { capacity } if i32::try_from(state.taken.len()).is_ok_and(|taken| taken < capacity) => {
            Some(Change::Taken)
        }
        Action::Take { .. } => return Err(Rejection::NoPlaceLeft),
        Action::Release => has_place.then_some(Change::Released),
        Action::SpendVeto if state.veto.is_some_and(|vetoed| vetoed != tandem) => {
            return Err(Rejection::VetoSpent);
        }
        Action::SpendVeto => state.veto.is_none().then_some(Change::VetoSpent),
    };
    Ok(change.into_iter().map(|change| Event { key, tandem, change }).collect())
}

/// Takes an event into the state.
pub fn evolve(state: &mut State, event: &Event) {
    match event.change {
        Change::Taken => drop(state.taken.insert(event.tandem)),
        Change::Released => drop(state.taken.remove(&event.tandem)),
        Change::VetoSpent => state.veto = Some(event.tandem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key {
            edition: EditionId::from_uuid(Uuid::from_u128(7)),
            person: PersonId::from_uuid(Uuid::from_u128(1)),
        }
    }

    fn tandem(number: u128) -> TandemId {
        TandemId::from_uuid(Uuid::from_u128(number))
    }

    fn when(history: &[(u128, Change)], number: u128, action: Action) -> Result<Vec<Change>, Rejection> {
        let mut state = State::default();
        for (number, change) in history {
            evolve(&mut state, &Event { key: key(), tandem: tandem(*number), change: *change });
        }
        let command = Command { key: key(), tandem: tandem(number), action };
        decide(&state, &command).map(|events| events.into_iter().map(|event| event.change).collect())
    }

    #[test]
    fn there_are_as_many_places_as_the_capacity_says() {
        let one = Action::Take { capacity: 1 };
        assert_eq!(when(&[], 1, one), Ok(vec![Change::Taken]));
        assert_eq!(when(&[(1, Change::Taken)], 2, one), Err(Rejection::NoPlaceLeft));
        assert_eq!(when(&[(1, Change::Taken)], 2, Action::Take { capacity: 2 }), Ok(vec![Change::Taken]));
        assert_eq!(when(&[], 1, Action::Take { capacity: 0 }), Err(Rejection::NoPlaceLeft));
    }

    #[test]
    fn a_released_place_is_free_again() {
        assert_eq!(when(&[(1, Change::Taken)], 1, Action::Release), Ok(vec![Change::Released]));
        let history = [(1, Change::Taken), (1, Change::Released)];
        assert_eq!(when(&history, 2, Action::Take { capacity: 1 }), Ok(vec![Change::Taken]));
    }

    #[test]
    fn doing_it_again_is_success() {
        assert_eq!(when(&[(1, Change::Taken)], 1, Action::Take { capacity: 1 }), Ok(vec![]));
        assert_eq!(when(&[], 1, Action::Release), Ok(vec![]));
        assert_eq!(when(&[(1, Change::VetoSpent)], 1, Action::SpendVeto), Ok(vec![]));
    }

    #[test]
    fn there_is_one_veto_in_an_edition() {
        assert_eq!(when(&[], 1, Action::SpendVeto), Ok(vec![Change::VetoSpent]));
        assert_eq!(when(&[(1, Change::VetoSpent)], 2, Action::SpendVeto), Err(Rejection::VetoSpent));
    }

    #[test]
    fn each_side_has_places_of_its_own() {
        let other = Key { person: PersonId::from_uuid(Uuid::from_u128(2)), ..key() };
        let streams = [key().stream(Side::Mentor), key().stream(Side::Mentee), other.stream(Side::Mentor)];
        assert_eq!(streams[0], key().stream(Side::Mentor));
        assert!(streams[0] != streams[1] && streams[0] != streams[2]);
    }
}
