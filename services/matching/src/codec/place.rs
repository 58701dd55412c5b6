use eventlog::{Aggregate, Corrupt, Draft, Recorded};
use proto::matching as stored;

use super::Fields;
use crate::domain::place::{self, Change, Command, Event, Key, Rejection, State};

/// The streams of a person's places on one side of an edition.
#[derive(Debug)]
pub enum Place {}

impl Aggregate for Place {
    const KIND: &'static str = "place";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
        place::decide(state, command)
    }

    fn evolve(state: &mut State, event: &Event) {
        place::evolve(state, event);
    }

    fn encode(event: &Event) -> Draft {
        let edition_id = event.key.edition.to_string();
        let person_id = event.key.person.to_string();
        let tandem_id = event.tandem.to_string();
        match event.change {
            Change::Taken => Draft::of(&stored::PlaceTaken { edition_id, person_id, tandem_id }),
            Change::Released => Draft::of(&stored::PlaceReleased { edition_id, person_id, tandem_id }),
            Change::VetoSpent => Draft::of(&stored::VetoSpent { edition_id, person_id, tandem_id }),
        }
    }

    fn decode(event: &Recorded) -> Result<Event, Corrupt> {
        let (edition_id, person_id, tandem_id, change) = if event.is::<stored::PlaceTaken>() {
            let it: stored::PlaceTaken = event.read()?;
            (it.edition_id, it.person_id, it.tandem_id, Change::Taken)
        } else if event.is::<stored::PlaceReleased>() {
            let it: stored::PlaceReleased = event.read()?;
            (it.edition_id, it.person_id, it.tandem_id, Change::Released)
        } else if event.is::<stored::VetoSpent>() {
            let it: stored::VetoSpent = event.read()?;
            (it.edition_id, it.person_id, it.tandem_id, Change::VetoSpent)
        } else {
            return Err(Corrupt::unknown(event));
        };
        let fields = Fields(event);
        let key = Key { edition: fields.edition(&edition_id)?, person: fields.id("person_id", &person_id)? };
        Ok(Event { key, tandem: fields.id("tandem_id", &tandem_id)?, change })
    }
}

#[cfg(test)]
mod tests {
    use identity::{EditionId, TandemId};
    use uuid::Uuid;

    use crate::domain::inputs::tests::person;
    use eventlog::rehearsal::{refuses_the_unreadable, round_trip};

    use super::*;

    #[test]
    fn every_event_survives_the_log() {
        let key = Key { edition: EditionId::from_uuid(Uuid::from_u128(7)), person: person(1) };
        let tandem = TandemId::from_uuid(Uuid::from_u128(3));
        let changes = [Change::Taken, Change::Released, Change::VetoSpent];
        round_trip::<Place>(changes.map(|change| Event { key, tandem, change }));
        refuses_the_unreadable::<Place, stored::PlaceTaken>();
    }
}
