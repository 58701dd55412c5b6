//! A person of the directory: joins, moves, is on leave, leaves, returns.

use std::collections::BTreeSet;

use identity::{OrgUnitId, PersonId};
use jiff::civil::Date;

/// Where a person stands in the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The direct superior; none at the top.
    pub manager: Option<PersonId>,
    /// The department.
    pub org_unit: OrgUnitId,
    /// The first day with the company.
    pub hire_date: Date,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// The roster lists the person at this place.
    Record {
        /// The person.
        person: PersonId,
        /// Where the roster places them.
        place: Place,
    },
    /// The person leaves the company.
    Leave {
        /// The last working day.
        last_day: Date,
    },
    /// The person is on leave.
    BeAbsent(Leave),
}

/// Days on which a person is on leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leave {
    /// The first day.
    pub first_day: Date,
    /// The last day.
    pub last_day: Date,
}

/// What can happen to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The person.
    pub person: PersonId,
    /// What happened.
    pub change: Change,
}

/// A change of a person's standing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Appeared in the directory.
    Joined(Place),
    /// Stands somewhere else now.
    Moved(Place),
    /// Leaves the company after this day.
    Left(Date),
    /// Came back after having left.
    Returned,
    /// Is on leave.
    Absent(Leave),
}

/// What is known of a person; nothing before they join.
#[derive(Clone, Debug, Default)]
pub struct State(Option<Employee>);

#[derive(Clone, Debug)]
struct Employee {
    person: PersonId,
    place: Place,
    last_day: Option<Date>,
    leaves: BTreeSet<Leave>,
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The directory has never seen the person.
    #[error("The directory has no such person.")]
    Unknown,
    /// The last day precedes the first.
    #[error("The last day is before {hire_date}, the first day of this person.")]
    LeavesBeforeJoining {
        /// The first day.
        hire_date: Date,
    },
    /// The last day of a leave precedes its first.
    #[error("The leave ends before it begins.")]
    LeaveEndsFirst,
    /// Who has left the company has no leave.
    #[error("This person leaves the company after {last_day}; there is no leave to record.")]
    HasLeft {
        /// The last working day.
        last_day: Date,
    },
}

/// Decides what happens on a command.
///
/// # Errors
/// The rule that forbids it.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Record { person, place } => {
            let changes = record(state, *place);
            Ok(changes.into_iter().map(|change| Event { person: *person, change }).collect())
        }
        Command::Leave { last_day } => {
            let employee = state.0.as_ref().ok_or(Rejection::Unknown)?;
            if employee.last_day.is_some() {
                return Ok(Vec::new());
            }
            let hire_date = employee.place.hire_date;
            if *last_day < hire_date {
                return Err(Rejection::LeavesBeforeJoining { hire_date });
            }
            Ok(vec![Event { person: employee.person, change: Change::Left(*last_day) }])
        }
        Command::BeAbsent(leave) => {
            let employee = state.0.as_ref().ok_or(Rejection::Unknown)?;
            if leave.last_day < leave.first_day {
                return Err(Rejection::LeaveEndsFirst);
            }
            if let Some(last_day) = employee.last_day {
                return Err(Rejection::HasLeft { last_day });
            }
            let absent = Event { person: employee.person, change: Change::Absent(*leave) };
            Ok(if employee.leaves.contains(leave) { Vec::new() } else { vec![absent] })
        }
    }
}

fn record(state: &State, place: Place) -> Vec<Change> {
    let Some(employee) = &state.0 else { return vec![Change::Joined(place)] };
    let returned = employee.last_day.map(|_| Change::Returned);
    let moved = (employee.place != place).then_some(Change::Moved(place));
    returned.into_iter().chain(moved).collect()
}

/// Takes an event into the state.
pub fn evolve(state: &mut State, event: &Event) {
    match (&event.change, &mut state.0) {
        (Change::Joined(place), _) => {
            let (place, leaves) = (*place, BTreeSet::new());
            state.0 = Some(Employee { person: event.person, place, last_day: None, leaves });
        }
        (Change::Moved(place), Some(employee)) => employee.place = *place,
        (Change::Left(last_day), Some(employee)) => employee.last_day = Some(*last_day),
        (Change::Returned, Some(employee)) => employee.last_day = None,
        (Change::Absent(leave), Some(employee)) => drop(employee.leaves.insert(*leave)),
        // Nothing can happen to somebody who never joined.
        (Change::Moved(_) | Change::Left(_) | Change::Returned | Change::Absent(_), None) => {}
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;

    fn anna() -> PersonId {
        PersonId::from_uuid(Uuid::from_u128(1))
    }

    fn place(department: u128) -> Place {
        Place {
            manager: Some(PersonId::from_uuid(Uuid::from_u128(9))),
            org_unit: OrgUnitId::from_uuid(Uuid::from_u128(department)),
            hire_date: date(2010, 3, 1),
        }
    }

    fn given(history: &[Change]) -> State {
        let mut state = State::default();
        for change in history {
            evolve(&mut state, &Event { person: anna(), change: change.clone() });
        }
        state
    }

    fn when(state: &State, command: &Command) -> Result<Vec<Change>, Rejection> {
        decide(state, command).map(|events| events.into_iter().map(|event| event.change).collect())
    }

    fn record(department: u128) -> Command {
        Command::Record { person: anna(), place: place(department) }
    }

    fn leave(last_day: Date) -> Command {
        Command::Leave { last_day }
    }

    #[test]
    fn somebody_new_joins() {
        assert_eq!(when(&given(&[]), &record(1)), Ok(vec![Change::Joined(place(1))]));
    }

    #[test]
    fn the_same_line_again_changes_nothing() {
        assert_eq!(when(&given(&[Change::Joined(place(1))]), &record(1)), Ok(vec![]));
    }

    #[test]
    fn another_place_is_a_move() {
        let state = given(&[Change::Joined(place(1))]);
        assert_eq!(when(&state, &record(2)), Ok(vec![Change::Moved(place(2))]));
        let state = given(&[Change::Joined(place(1)), Change::Moved(place(2))]);
        assert_eq!(when(&state, &record(2)), Ok(vec![]));
    }

    #[test]
    fn a_leaver_leaves_once() {
        let state = given(&[Change::Joined(place(1))]);
        assert_eq!(when(&state, &leave(date(2014, 1, 31))), Ok(vec![Change::Left(date(2014, 1, 31))]));
        let state = given(&[Change::Joined(place(1)), Change::Left(date(2014, 1, 31))]);
        assert_eq!(when(&state, &leave(date(2014, 2, 28))), Ok(vec![]));
    }

    #[test]
    fn a_leaver_on_the_roster_has_returned_and_perhaps_moved() {
        let state = given(&[Change::Joined(place(1)), Change::Left(date(2014, 1, 31))]);
        assert_eq!(when(&state, &record(1)), Ok(vec![Change::Returned]));
        assert_eq!(when(&state, &record(2)), Ok(vec![Change::Returned, Change::Moved(place(2))]));
    }

    #[test]
    fn a_stranger_cannot_leave() {
        assert_eq!(when(&given(&[]), &leave(date(2014, 1, 31))), Err(Rejection::Unknown));
    }

    #[test]
    fn a_leave_is_recorded_once_and_has_an_end_after_its_beginning() {
        let leave = Leave { first_day: date(2014, 1, 6), last_day: date(2014, 1, 31) };
        let joined = [Change::Joined(place(1))];
        assert_eq!(when(&given(&joined), &Command::BeAbsent(leave)), Ok(vec![Change::Absent(leave)]));
        let absent = [Change::Joined(place(1)), Change::Absent(leave)];
        assert_eq!(when(&given(&absent), &Command::BeAbsent(leave)), Ok(vec![]));
        let turned = Leave { first_day: leave.last_day, last_day: leave.first_day };
        assert_eq!(when(&given(&joined), &Command::BeAbsent(turned)), Err(Rejection::LeaveEndsFirst));
        let left = [Change::Joined(place(1)), Change::Left(date(2014, 1, 3))];
        let refused = Err(Rejection::HasLeft { last_day: date(2014, 1, 3) });
        assert_eq!(when(&given(&left), &Command::BeAbsent(leave)), refused);
        assert_eq!(when(&given(&[]), &Command::BeAbsent(leave)), Err(Rejection::Unknown));
    }

    #[test]
    fn nobody_leaves_before_the_first_day() {
        let state = given(&[Change::Joined(place(1))]);
        let refused = Rejection::LeavesBeforeJoining { hire_date: date(2010, 3, 1) };
        assert_eq!(when(&state, &leave(date(2010, 2, 28))), Err(refused));
    }
}
