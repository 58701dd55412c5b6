//! Who takes part in the programme: whoever has an application or an obligation that is alive, or a tandem that meets.

use std::collections::{BTreeMap, BTreeSet};

use identity::{EditionId, PersonId};
use jiff::Timestamp;
use uuid::Uuid;

/// What makes a person take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Engagement {
    /// One of the people it is about.
    pub person: PersonId,
    /// The application, the obligation or the tandem.
    pub id: Uuid,
    /// The edition it belongs to.
    pub edition: EditionId,
    /// What it is.
    pub kind: Kind,
}

/// Kinds of engagement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An application, until it is declined or withdrawn or its edition is over.
    Application,
    /// An obligation, until it is excused or fulfilled or lapses.
    Obligation,
    /// A tandem, from its first meeting to its last.
    Tandem,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Application, Self::Obligation, Self::Tandem];

    /// Its name where it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Obligation => "obligation",
            Self::Tandem => "tandem",
        }
    }
}

/// What happens to engagements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// It begins for a person.
    Began(Engagement),
    /// It ends for everybody.
    Ended(Uuid),
    /// An edition is over, and with it its applications.
    EditionOver(EditionId),
}

/// The engagements of some people, and what has changed since they were read.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    before: BTreeSet<Engagement>,
    alive: BTreeSet<Engagement>,
    turns: BTreeMap<PersonId, Turn>,
}

/// That a person takes part from now on, or no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Whether the person takes part.
    pub participating: bool,
    /// Since when.
    pub at: Timestamp,
    /// The event that made it so.
    pub position: i64,
}

impl Ledger {
    /// Begins with all engagements of the people whom what follows is about.
    #[must_use]
    pub fn of(alive: BTreeSet<Engagement>) -> Self {
        Self { before: alive.clone(), alive, turns: BTreeMap::new() }
    }

    /// Takes in what happened by an event.
    pub fn take(&mut self, happening: Happening, at: Timestamp, position: i64) {
        match happening {
            Happening::Began(engagement) => {
                if !self.takes_part(engagement.person) {
                    let turn = Turn { participating: true, at, position };
                    self.turns.insert(engagement.person, turn);
                }
                self.alive.insert(engagement);
            }
            Happening::Ended(id) => self.end(|engagement| engagement.id == id, at, position),
            Happening::EditionOver(edition) => {
                let over = |it: &Engagement| it.edition == edition && it.kind == Kind::Application;
                self.end(over, at, position);
            }
        }
    }

    /// Engagements that are new.
    pub fn begun(&self) -> impl Iterator<Item = &Engagement> {
        self.alive.difference(&self.before)
    }

    /// Engagements that are gone.
    pub fn ended(&self) -> impl Iterator<Item = &Engagement> {
        self.before.difference(&self.alive)
    }

    /// Who takes part now and did not, or the other way round; of somebody who turned twice the later one.
    pub fn turns(&self) -> impl Iterator<Item = (PersonId, Turn)> {
        self.turns.iter().map(|(person, turn)| (*person, *turn))
    }

    fn end(&mut self, is_over: impl Fn(&Engagement) -> bool, at: Timestamp, position: i64) {
        let over: Vec<_> = self.alive.iter().copied().filter(is_over).collect();
        for engagement in over {
            self.alive.remove(&engagement);
            if !self.takes_part(engagement.person) {
                self.turns.insert(engagement.person, Turn { participating: false, at, position });
            }
        }
    }

    fn takes_part(&self, person: PersonId) -> bool {
        let (id, edition) = (Uuid::nil(), EditionId::from_uuid(Uuid::nil()));
        let first = Engagement { person, id, edition, kind: Kind::Application };
        self.alive.range(first..).next().is_some_and(|engagement| engagement.person == person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: u128 = 1;
    const OLAF: u128 = 2;

    fn person(number: u128) -> PersonId {
        PersonId::from_uuid(Uuid::from_u128(number))
    }

    fn edition(number: u128) -> EditionId {
        EditionId::from_uuid(Uuid::from_u128(number))
    }

    fn engagement(id: u128, person_number: u128, kind: Kind) -> Engagement {
        Engagement { person: person(person_number), id: Uuid::from_u128(id), edition: edition(9), kind }
    }

    /// Takes in what happens, event by event from position 1 on.
    fn after(mut ledger: Ledger, happenings: &[Happening]) -> Ledger {
        for (position, happening) in (1..).zip(happenings) {
            ledger.take(*happening, Timestamp::UNIX_EPOCH, position);
        }
        ledger
    }

    fn turns(ledger: &Ledger) -> Vec<(PersonId, bool, i64)> {
        ledger.turns().map(|(person, turn)| (person, turn.participating, turn.position)).collect()
    }

    #[test]
    fn the_first_engagement_makes_a_person_take_part_and_the_end_of_the_last_ends_it() {
        let (application, tandem) =
            (engagement(10, ANNA, Kind::Application), engagement(11, ANNA, Kind::Tandem));
        let begun = [Happening::Began(application), Happening::Began(tandem)];
        let ledger = after(Ledger::default(), &begun);
        assert_eq!(turns(&ledger), [(person(ANNA), true, 1)]);
        assert_eq!(ledger.begun().copied().collect::<Vec<_>>(), [application, tandem]);

        let ledger = after(Ledger::of([application, tandem].into()), &[Happening::Ended(application.id)]);
        assert_eq!(turns(&ledger), []);
        let ended = [Happening::Ended(application.id), Happening::Ended(tandem.id)];
        let ledger = after(Ledger::of([application, tandem].into()), &ended);
        assert_eq!(turns(&ledger), [(person(ANNA), false, 2)]);
        assert_eq!(ledger.ended().copied().collect::<Vec<_>>(), [application, tandem]);
    }

    #[test]
    fn the_end_of_a_tandem_is_that_of_both() {
        let sides = [engagement(11, ANNA, Kind::Tandem), engagement(11, OLAF, Kind::Tandem)];
        let ledger = after(Ledger::of(sides.into()), &[Happening::Ended(sides[0].id)]);
        assert_eq!(turns(&ledger), [(person(ANNA), false, 1), (person(OLAF), false, 1)]);
    }

    #[test]
    fn with_an_edition_its_applications_end_and_its_obligations_go_on() {
        let (application, obligation) =
            (engagement(10, ANNA, Kind::Application), engagement(12, OLAF, Kind::Obligation));
        let ledger =
            after(Ledger::of([application, obligation].into()), &[Happening::EditionOver(edition(9))]);
        assert_eq!(turns(&ledger), [(person(ANNA), false, 1)]);
        let other = after(Ledger::of([application].into()), &[Happening::EditionOver(edition(8))]);
        assert_eq!(turns(&other), []);
    }

    #[test]
    fn the_same_again_and_the_end_of_what_never_began_change_nothing() {
        let application = engagement(10, ANNA, Kind::Application);
        let again = [Happening::Began(application), Happening::Ended(Uuid::from_u128(77))];
        let ledger = after(Ledger::of([application].into()), &again);
        assert_eq!((turns(&ledger), ledger.begun().count(), ledger.ended().count()), (vec![], 0, 0));
    }

    #[test]
    fn however_events_are_cut_into_pages_the_last_turn_is_the_same() {
        let application = engagement(10, ANNA, Kind::Application);
        let all = [Happening::Began(application), Happening::Ended(application.id)];
        let whole = after(Ledger::default(), &all);
        let mut second = Ledger::of([application].into());
        second.take(all[1], Timestamp::UNIX_EPOCH, 2);
        assert_eq!(turns(&whole), turns(&second));
    }
}
