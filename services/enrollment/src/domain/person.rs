//! A person of the directory: joins, moves, is on leave, leaves, returns, is taken back, is forgotten.

use std::collections::BTreeMap;

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
    /// The directory lists the person at this place.
    Record {
        /// The person.
        person: PersonId,
        /// Where they are placed.
        place: Place,
    },
    /// The person has left: the last working day is today or past. Another day than before corrects it.
    Leave {
        /// The last working day.
        last_day: Date,
    },
    /// The person leaves on a day to come, and works here until then.
    Announce {
        /// The last working day.
        last_day: Date,
    },
    /// The person is on leave. Another end of a leave that begins on the same day replaces it.
    BeAbsent(Leave),
    /// The leave ends on this day, which may lie before its first: then it never was.
    EndLeave {
        /// The first day, by which a leave is known.
        first_day: Date,
        /// The last day.
        last_day: Date,
    },
    /// The record of the person was a mistake: they never worked here.
    Rescind {
        /// The day on which it was found.
        today: Date,
    },
    /// What is known about the person is erased.
    Erase {
        /// The day on which it is.
        today: Date,
    },
}

/// Days on which a person is on leave. A person has one leave at most that begins on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leave {
    /// The first day.
    pub first_day: Date,
    /// The last day; none while nobody knows it.
    pub last_day: Option<Date>,
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
    /// Will leave the company after this day.
    Leaving(Date),
    /// Has left the company after this day.
    Left(Date),
    /// Came back after having left.
    Returned,
    /// Is on leave.
    Absent(Leave),
    /// The end of a leave is another one now.
    AbsenceEnded {
        /// The first day, by which the leave is known.
        first_day: Date,
        /// The last day; before the first if the leave never was.
        last_day: Date,
    },
    /// Never worked here.
    Rescinded,
    /// Is known no more.
    Erased,
}

/// What is known of a person; nothing before they join.
#[derive(Clone, Debug, Default)]
pub struct State(Option<Employee>);

#[derive(Clone, Debug)]
struct Employee {
    person: PersonId,
    place: Place,
    standing: Standing,
    /// The last days of leaves by their first; those that never were are kept, so that taking back again is no mistake.
    leaves: BTreeMap<Date, Option<Date>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Works here, until a day that may be known.
    Works(Option<Date>),
    /// Has left after this day.
    Left(Date),
    /// Was a mistake, and counted as having left after this day.
    Rescinded(Date),
    Erased,
}

/// Why a command is refused. No text names a day: HR systems are told these, and their days are kept nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The directory has never seen the person.
    #[error("The directory has no such person.")]
    Unknown,
    /// The last day precedes the first.
    #[error("The last day is before the first day of this person.")]
    LeavesBeforeJoining,
    /// The last day of a leave precedes its first.
    #[error("The leave ends before it begins.")]
    LeaveEndsFirst,
    /// Nobody recorded a leave from this day on.
    #[error("There is no leave of this person that begins on that day.")]
    NoSuchLeave,
    /// Who has left the company has no leave.
    #[error("This person has left the company; there is no leave to record.")]
    HasLeft,
    /// Whoever was erased comes back as somebody new.
    #[error("This person was erased from the directory.")]
    Erased,
}

/// Decides what happens on a command.
///
/// # Errors
/// The rule that forbids it.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
    let (person, changes) = match (&state.0, command) {
        (None, Command::Record { person, place }) => (*person, vec![Change::Joined(*place)]),
        (None, _) => return Err(Rejection::Unknown),
        (Some(employee), command) => (employee.person, employee.decide(command)?),
    };
    Ok(changes.into_iter().map(|change| Event { person, change }).collect())
}

impl Employee {
    fn decide(&self, command: &Command) -> Result<Vec<Change>, Rejection> {
        match command {
            Command::Record { place, .. } => self.record(*place),
            Command::Leave { last_day } => self.leave(*last_day),
            Command::Announce { last_day } => self.announce(*last_day),
            Command::BeAbsent(leave) => self.be_absent(*leave),
            Command::EndLeave { first_day, last_day } => self.end_leave(*first_day, *last_day),
            Command::Rescind { today } => Ok(match self.standing {
                Standing::Works(_) => vec![Change::Left(*today), Change::Rescinded],
                Standing::Left(_) => vec![Change::Rescinded],
                Standing::Rescinded(_) | Standing::Erased => vec![],
            }),
            Command::Erase { today } => Ok(match self.standing {
                Standing::Works(_) => vec![Change::Left(*today), Change::Erased],
                Standing::Left(_) | Standing::Rescinded(_) => vec![Change::Erased],
                Standing::Erased => vec![],
            }),
        }
    }

    fn record(&self, place: Place) -> Result<Vec<Change>, Rejection> {
        let mut changes = self.return_to_work()?;
        changes.extend((self.place != place).then_some(Change::Moved(place)));
        Ok(changes)
    }

    fn leave(&self, last_day: Date) -> Result<Vec<Change>, Rejection> {
        match self.standing {
            Standing::Rescinded(_) | Standing::Erased => Ok(vec![]),
            Standing::Left(before) if before == last_day => Ok(vec![]),
            Standing::Left(_) | Standing::Works(_) => {
                self.worked_on(last_day)?;
                Ok(vec![Change::Left(last_day)])
            }
        }
    }

    fn announce(&self, last_day: Date) -> Result<Vec<Change>, Rejection> {
        self.worked_on(last_day)?;
        if self.standing == Standing::Works(Some(last_day)) {
            return Ok(vec![]);
        }
        let mut changes = self.return_to_work()?;
        changes.push(Change::Leaving(last_day));
        Ok(changes)
    }

    /// Whoever returns is back from leave, too: what was left of one ended with the last working day.
    fn return_to_work(&self) -> Result<Vec<Change>, Rejection> {
        let gone = match self.standing {
            Standing::Works(_) => return Ok(vec![]),
            Standing::Left(last_day) | Standing::Rescinded(last_day) => last_day,
            Standing::Erased => return Err(Rejection::Erased),
        };
        let outlasting = self.leaves.iter().filter(|(_, end)| end.is_none_or(|end| end > gone));
        let ended =
            outlasting.map(|(first_day, _)| Change::AbsenceEnded { first_day: *first_day, last_day: gone });
        Ok([Change::Returned].into_iter().chain(ended).collect())
    }

    fn worked_on(&self, day: Date) -> Result<(), Rejection> {
        if day < self.place.hire_date { Err(Rejection::LeavesBeforeJoining) } else { Ok(()) }
    }

    fn be_absent(&self, leave: Leave) -> Result<Vec<Change>, Rejection> {
        if leave.last_day.is_some_and(|last_day| last_day < leave.first_day) {
            return Err(Rejection::LeaveEndsFirst);
        }
        match self.standing {
            Standing::Left(_) | Standing::Rescinded(_) => Err(Rejection::HasLeft),
            Standing::Erased => Err(Rejection::Erased),
            Standing::Works(_) if self.leaves.get(&leave.first_day) == Some(&leave.last_day) => Ok(vec![]),
            Standing::Works(_) => Ok(vec![Change::Absent(leave)]),
        }
    }

    fn end_leave(&self, first_day: Date, last_day: Date) -> Result<Vec<Change>, Rejection> {
        let never = |end: Date| end < first_day;
        match self.leaves.get(&first_day) {
            None => Err(Rejection::NoSuchLeave),
            Some(Some(end)) if *end == last_day || never(*end) && never(last_day) => Ok(vec![]),
            Some(_) => Ok(vec![Change::AbsenceEnded { first_day, last_day }]),
        }
    }
}

/// Takes an event into the state.
pub fn evolve(state: &mut State, event: &Event) {
    if let Change::Joined(place) = event.change {
        let (person, standing, leaves) = (event.person, Standing::Works(None), BTreeMap::new());
        state.0 = Some(Employee { person, place, standing, leaves });
    } else if let Some(employee) = &mut state.0 {
        employee.evolve(&event.change);
    }
}

impl Employee {
    fn evolve(&mut self, change: &Change) {
        match *change {
            Change::Joined(place) | Change::Moved(place) => self.place = place,
            Change::Leaving(last_day) => self.standing = Standing::Works(Some(last_day)),
            Change::Left(last_day) => self.standing = Standing::Left(last_day),
            Change::Returned => self.standing = Standing::Works(None),
            Change::Absent(leave) => {
                self.leaves.insert(leave.first_day, leave.last_day);
            }
            Change::AbsenceEnded { first_day, last_day } => {
                self.leaves.insert(first_day, Some(last_day));
            }
            Change::Rescinded => {
                // Whoever was listed until then has left first.
                if let Standing::Left(last_day) = self.standing {
                    self.standing = Standing::Rescinded(last_day);
                }
            }
            Change::Erased => self.standing = Standing::Erased,
        }
    }
}

#[cfg(test)]
mod tests;
