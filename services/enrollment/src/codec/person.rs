use eventlog::{Aggregate, Corrupt, Draft, Recorded};
use proto::enrollment as stored;

use super::{Fields, optional_id_text};
use crate::domain::person::{self, Change, Command, Event, Leave, Place, Rejection, State};

/// The streams of people.
#[derive(Debug)]
pub enum Person {}

impl Aggregate for Person {
    const KIND: &'static str = "person";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
        person::decide(state, command)
    }

    fn evolve(state: &mut State, event: &Event) {
        person::evolve(state, event);
    }

    fn encode(event: &Event) -> Draft {
        let person_id = event.person.to_string();
        match &event.change {
            Change::Joined(place) => Draft::of(&stored::PersonJoined {
                person_id,
                manager_person_id: optional_id_text(place.manager),
                org_unit_id: place.org_unit.to_string(),
                hire_date: place.hire_date.to_string(),
            }),
            Change::Moved(place) => Draft::of(&stored::PersonMoved {
                person_id,
                manager_person_id: optional_id_text(place.manager),
                org_unit_id: place.org_unit.to_string(),
                hire_date: place.hire_date.to_string(),
            }),
            Change::Leaving(last_day) => {
                Draft::of(&stored::PersonLeaving { person_id, last_day: last_day.to_string() })
            }
            Change::Left(last_day) => {
                Draft::of(&stored::PersonLeft { person_id, last_day: last_day.to_string() })
            }
            Change::Returned => Draft::of(&stored::PersonReturned { person_id }),
            Change::Absent(Leave { first_day, last_day }) => {
                let last_day = last_day.map(|day| day.to_string()).unwrap_or_default();
                Draft::of(&stored::PersonAbsent { person_id, first_day: first_day.to_string(), last_day })
            }
            Change::AbsenceEnded { first_day, last_day } => {
                let (first_day, last_day) = (first_day.to_string(), last_day.to_string());
                Draft::of(&stored::PersonAbsenceEnded { person_id, first_day, last_day })
            }
            Change::Rescinded => Draft::of(&stored::PersonRescinded { person_id }),
            Change::Erased => Draft::of(&stored::PersonErased { person_id }),
        }
    }

    fn decode(event: &Recorded) -> Result<Event, Corrupt> {
        let fields = Fields(event);
        let (person_id, change) = standing(event, &fields)
            .or_else(|| absence(event, &fields))
            .unwrap_or_else(|| Err(Corrupt::unknown(event)))?;
        Ok(Event { person: fields.id("person_id", &person_id)?, change })
    }
}

/// The person and the change, if the event is one of this kind.
type Read = Option<Result<(String, Change), Corrupt>>;

fn standing(event: &Recorded, fields: &Fields) -> Read {
    let read = || {
        Ok(if event.is::<stored::PersonJoined>() {
            let it: stored::PersonJoined = event.read()?;
            let place = place(fields, &it.manager_person_id, &it.org_unit_id, &it.hire_date)?;
            Some((it.person_id, Change::Joined(place)))
        } else if event.is::<stored::PersonMoved>() {
            let it: stored::PersonMoved = event.read()?;
            let place = place(fields, &it.manager_person_id, &it.org_unit_id, &it.hire_date)?;
            Some((it.person_id, Change::Moved(place)))
        } else if event.is::<stored::PersonLeaving>() {
            let it: stored::PersonLeaving = event.read()?;
            Some((it.person_id, Change::Leaving(fields.date("last_day", &it.last_day)?)))
        } else if event.is::<stored::PersonLeft>() {
            let it: stored::PersonLeft = event.read()?;
            Some((it.person_id, Change::Left(fields.date("last_day", &it.last_day)?)))
        } else if event.is::<stored::PersonReturned>() {
            Some((event.read::<stored::PersonReturned>()?.person_id, Change::Returned))
        } else if event.is::<stored::PersonRescinded>() {
            Some((event.read::<stored::PersonRescinded>()?.person_id, Change::Rescinded))
        } else if event.is::<stored::PersonErased>() {
            Some((event.read::<stored::PersonErased>()?.person_id, Change::Erased))
        } else {
            None
        })
    };
    read().transpose()
}

fn absence(event: &Recorded, fields: &Fields) -> Read {
    let read = || {
        Ok(if event.is::<stored::PersonAbsent>() {
            let it: stored::PersonAbsent = event.read()?;
            let first_day = fields.date("first_day", &it.first_day)?;
            let last_day = fields.optional_date("last_day", &it.last_day)?;
            Some((it.person_id, Change::Absent(Leave { first_day, last_day })))
        } else if event.is::<stored::PersonAbsenceEnded>() {
            let it: stored::PersonAbsenceEnded = event.read()?;
            let first_day = fields.date("first_day", &it.first_day)?;
            let last_day = fields.date("last_day", &it.last_day)?;
            Some((it.person_id, Change::AbsenceEnded { first_day, last_day }))
        } else {
            None
        })
    };
    read().transpose()
}

fn place(fields: &Fields, manager: &str, org_unit: &str, hire_date: &str) -> Result<Place, Corrupt> {
    Ok(Place {
        manager: fields.optional_id("manager_person_id", manager)?,
        org_unit: fields.id("org_unit_id", org_unit)?,
        hire_date: fields.date("hire_date", hire_date)?,
    })
}

#[cfg(test)]
mod tests {
    use identity::{OrgUnitId, PersonId};
    use jiff::civil::date;

    use super::*;
    use eventlog::rehearsal::{refuses_the_unreadable, round_trip};

    #[test]
    fn every_event_of_a_person_comes_back_as_it_was() {
        let place = |manager| Place { manager, org_unit: OrgUnitId::mint(), hire_date: date(2010, 2, 28) };
        let changes = [
            Change::Joined(place(None)),
            Change::Moved(place(Some(PersonId::mint()))),
            Change::Leaving(date(2014, 1, 31)),
            Change::Left(date(2014, 1, 31)),
            Change::Returned,
            Change::Absent(Leave { first_day: date(2014, 1, 6), last_day: Some(date(2014, 1, 31)) }),
            Change::Absent(Leave { first_day: date(2014, 1, 6), last_day: None }),
            Change::AbsenceEnded { first_day: date(2014, 1, 6), last_day: date(2014, 1, 5) },
            Change::Rescinded,
            Change::Erased,
        ];
        round_trip::<Person>(changes.map(|change| Event { person: PersonId::mint(), change }));
    }

    #[test]
    fn an_event_that_cannot_be_read_is_reported() {
        refuses_the_unreadable::<Person, stored::PersonJoined>();
    }
}
