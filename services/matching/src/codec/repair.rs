use eventlog::{Aggregate, Corrupt, Draft, Recorded};
use identity::PersonId;
use proto::matching as stored;

use super::Fields;
use crate::domain::repair::{self, Change, Command, Event, Key, Price, Rejection, State, Waiting};

/// The streams of repairs.
#[derive(Debug)]
pub enum Repair {}

impl Aggregate for Repair {
    const KIND: &'static str = "repair";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
        repair::decide(state, command)
    }

    fn evolve(state: &mut State, event: &Event) {
        repair::evolve(state, event);
    }

    fn encode(event: &Event) -> Draft {
        let Key { repair, edition, ended, mentee } = event.key;
        let (repair_id, edition_id) = (repair.to_string(), edition.to_string());
        let (ended_tandem_id, mentee_person_id) = (ended.to_string(), mentee.to_string());
        let released_by_person_id = event.released_by.map(|by| by.to_string()).unwrap_or_default();
        let frontier = event.frontier.iter().copied().map(price_to_proto).collect();
        match event.change {
            Change::Offered { tandem, moved } => {
                let moved = moved.map(|(from, to)| (from.to_string(), to.to_string()));
                let (moved_tandem_id, replacement_tandem_id) = moved.unwrap_or_default();
                Draft::of(&stored::RepairOffered {
                    repair_id,
                    edition_id,
                    ended_tandem_id,
                    mentee_person_id,
                    offered_tandem_id: tandem.to_string(),
                    moved_tandem_id,
                    replacement_tandem_id,
                    frontier,
                    released_by_person_id,
                })
            }
            Change::Waits(waiting) => Draft::of(&stored::RepairWaiting {
                repair_id,
                edition_id,
                ended_tandem_id,
                mentee_person_id,
                reason: waiting_to_proto(waiting).into(),
                frontier,
                released_by_person_id,
            }),
        }
    }

    fn decode(event: &Recorded) -> Result<Event, Corrupt> {
        let fields = Fields(event);
        if event.is::<stored::RepairOffered>() {
            let it: stored::RepairOffered = event.read()?;
            let moved = fields.optional_id("moved_tandem_id", &it.moved_tandem_id)?;
            let replacement = fields.optional_id("replacement_tandem_id", &it.replacement_tandem_id)?;
            let change = Change::Offered {
                tandem: fields.id("offered_tandem_id", &it.offered_tandem_id)?,
                moved: moved.zip(replacement),
            };
            let key =
                key(&fields, [&it.repair_id, &it.edition_id, &it.ended_tandem_id, &it.mentee_person_id])?;
            let released_by = released_by(&fields, &it.released_by_person_id)?;
            Ok(Event { key, released_by, frontier: it.frontier.iter().map(price).collect(), change })
        } else if event.is::<stored::RepairWaiting>() {
            let it: stored::RepairWaiting = event.read()?;
            let change = Change::Waits(fields.some("reason", waiting(it.reason()))?);
            let key =
                key(&fields, [&it.repair_id, &it.edition_id, &it.ended_tandem_id, &it.mentee_person_id])?;
            let released_by = released_by(&fields, &it.released_by_person_id)?;
            Ok(Event { key, released_by, frontier: it.frontier.iter().map(price).collect(), change })
        } else {
            Err(Corrupt::unknown(event))
        }
    }
}

fn key(fields: &Fields<'_>, [repair, edition, ended, mentee]: [&str; 4]) -> Result<Key, Corrupt> {
    Ok(Key {
        repair: fields.id("repair_id", repair)?,
        edition: fields.edition(edition)?,
        ended: fields.id("ended_tandem_id", ended)?,
        mentee: fields.id("mentee_person_id", mentee)?,
    })
}

fn released_by(fields: &Fields<'_>, text: &str) -> Result<Option<PersonId>, Corrupt> {
    fields.optional_id("released_by_person_id", text)
}

pub(crate) fn price_to_proto(price: Price) -> stored::RepairStep {
    let Price { moves, score, others_lose } = price;
    stored::RepairStep { moves, score, others_lose }
}

fn price(step: &stored::RepairStep) -> Price {
    let stored::RepairStep { moves, score, others_lose } = *step;
    Price { moves, score, others_lose }
}

pub(crate) fn waiting_to_proto(waiting: Waiting) -> stored::WaitingReason {
    match waiting {
        Waiting::NoMentor => stored::WaitingReason::NoMentor,
        Waiting::MovesExceeded => stored::WaitingReason::MovesExceeded,
        Waiting::Silent => stored::WaitingReason::Silent,
        Waiting::InLine => stored::WaitingReason::InLine,
        Waiting::TooManyOffers => stored::WaitingReason::TooManyOffers,
    }
}

fn waiting(reason: stored::WaitingReason) -> Option<Waiting> {
    Waiting::ALL.into_iter().find(|waiting| waiting_to_proto(*waiting) == reason)
}

#[cfg(test)]
mod tests {
    use identity::{EditionId, TandemId};

    use crate::domain::inputs::tests::person;
    use crate::domain::tandem;
    use eventlog::rehearsal::{refuses_the_unreadable, round_trip};

    use super::*;

    #[test]
    fn every_event_survives_the_log() {
        let ended = tandem::Key { tandem: TandemId::mint(), edition: EditionId::mint() };
        let key = Key::of(ended, person(1));
        let price = |moves| Price { moves, score: 4_000, others_lose: -500 };
        let offered = |moved| Change::Offered { tandem: TandemId::mint(), moved };
        let changes = [offered(None), offered(Some((TandemId::mint(), TandemId::mint())))];
        let changes = changes.into_iter().chain(Waiting::ALL.map(Change::Waits));
        let event = |change| Event { key, released_by: None, frontier: vec![price(0), price(1)], change };
        round_trip::<Repair>(changes.map(event));
        round_trip::<Repair>([Event { released_by: Some(person(50)), ..event(offered(None)) }]);
        refuses_the_unreadable::<Repair, stored::RepairOffered>();
        refuses_the_unreadable::<Repair, stored::RepairWaiting>();
    }
}
