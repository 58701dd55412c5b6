//! A repair: what follows when an executive is left without a tandem.

use identity::{EditionId, PersonId, RepairId, TandemId};

use crate::domain::frontier::Step;
use crate::domain::tandem;

/// Offers of others that may be moved where the office has not said: with none, most of those left over would stay so.
pub const MOVES_MAX: i32 = 1;

/// How many offers an executive may let end in silence before only the programme office makes another.
const SILENCES_MAX: i64 = 1;

/// Whether only the programme office makes another offer to somebody who let so many end in silence.
#[must_use]
pub const fn is_silent(silences: i64) -> bool {
    silences > SILENCES_MAX
}

/// What the edition's rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Nothing is offered but by the programme office.
    ByHand,
    /// The next best offer is made at once.
    AtOnce {
        /// How many unanswered offers of others may be moved for it.
        moves_max: i32,
    },
}

/// Which repair it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The repair.
    pub repair: RepairId,
    /// The edition.
    pub edition: EditionId,
    /// The tandem whose end left the executive over.
    pub ended: TandemId,
    /// The executive.
    pub mentee: PersonId,
}

impl Key {
    /// The repair that follows from the end of a tandem, always the same.
    #[must_use]
    pub fn of(ended: tandem::Key, mentee: PersonId) -> Self {
        let repair = RepairId::derived(ended.tandem.uuid(), mentee.uuid().as_bytes());
        Self { repair, edition: ended.edition, ended: ended.tandem, mentee }
    }
}

/// The ways to serve an executive, as far as was looked.
#[derive(Clone, Debug)]
pub struct Options {
    /// The ways, fewest moves first.
    pub frontier: Vec<Step>,
    /// How far was looked.
    pub looked: Looked,
}

/// How far was looked for ways to serve an executive: at so many pairs at once and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// At every mentor, and at every offer that may be moved.
    Everywhere,
    /// At every mentor, and at the most promising of too many offers.
    Partly,
    /// Not yet, or not far: others came first.
    Nowhere,
}

/// What there is to decide on.
#[derive(Clone, Debug)]
pub struct Command {
    /// Which repair it is.
    pub key: Key,
    /// The ways to serve the executive.
    pub options: Options,
    /// How many unanswered offers of others may be moved.
    pub moves_max: i32,
    /// How many offers of this edition the executive let end in silence.
    pub silences: i64,
    /// Who published the edition's last run.
    pub released_by: Option<PersonId>,
}

impl Command {
    /// The way that is taken: the one that moves the fewest; or why there is none.
    ///
    /// # Errors
    /// Why the executive has to wait.
    pub fn choice(&self) -> Result<Step, Waiting> {
        if is_silent(self.silences) {
            return Err(Waiting::Silent);
        }
        let nobody = match self.options.looked {
            Looked::Everywhere => Waiting::NoMentor,
            Looked::Partly => Waiting::TooManyOffers,
            Looked::Nowhere => Waiting::InLine,
        };
        let first = self.options.frontier.first().ok_or(nobody)?;
        if first.moves() > self.moves_max { Err(Waiting::MovesExceeded) } else { Ok(*first) }
    }
}

/// Why an executive has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Nobody may be offered, with or without a move.
    NoMentor,
    /// Only by more moves than the rule allows.
    MovesExceeded,
    /// The executive does not answer.
    Silent,
    /// Others come first; the next round serves who stands in line.
    InLine,
    /// There are too many offers that could be moved: nobody may be offered without a move, nor with one of those looked at.
    TooManyOffers,
}

impl Waiting {
    /// Every reason.
    pub const ALL: [Self; 5] =
        [Self::NoMentor, Self::MovesExceeded, Self::Silent, Self::InLine, Self::TooManyOffers];

    /// The reason as it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoMentor => "no_mentor",
            Self::MovesExceeded => "moves_exceeded",
            Self::Silent => "silent",
            Self::InLine => "in_line",
            Self::TooManyOffers => "too_many_offers",
        }
    }
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which repair it is.
    pub key: Key,
    /// Who published the edition's last run, and is told; none if there is nothing new to tell.
    pub released_by: Option<PersonId>,
    /// What there was to choose from.
    pub frontier: Vec<Price>,
    /// What happened.
    pub change: Change,
}

/// One way to serve the executive, with its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Offers of others that it moves.
    pub moves: i32,
    /// The score of the executive's new pair.
    pub score: i32,
    /// What the score of the others loses by it.
    pub others_lose: i32,
}

/// A change of a repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The executive has another offer.
    Offered {
        /// The offer.
        tandem: TandemId,
        /// The offer that was taken back for it, and the one in its place.
        moved: Option<(TandemId, TandemId)>,
    },
    /// The executive has none yet.
    Waits(Waiting),
}

/// What is known of a repair; nothing before something happened.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The last of what happened.
    last: Option<Change>,
    /// The reasons to wait that there were, each once.
    reasons: Vec<Waiting>,
}

impl State {
    /// Whether the office is told: of each reason once, as reasons come and go with every round; and not that others come first, which is
    /// nothing to act on.
    fn is_news(&self, change: Change) -> bool {
        match change {
            Change::Offered { .. } => true,
            Change::Waits(waiting) => waiting != Waiting::InLine && !self.reasons.contains(&waiting),
        }
    }
}

/// Nothing is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {}

/// Decides what happens on a command.
///
/// # Errors
/// None: whoever cannot be served waits.
#[must_use]
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
    let Command { key, options, released_by, .. } = command;
    let tandem = |pair| tandem::Key::of_repair(key.repair, key.edition, pair).tandem;
    let change = match command.choice() {
        Ok(step) => Change::Offered {
            tandem: tandem(step.offer.pair),
            moved: step.moved.map(|moved| (moved.from.tandem, tandem(moved.to.pair))),
        },
        Err(waiting) => Change::Waits(waiting),
    };
    let done = matches!(state.last, Some(Change::Offered { .. })) || state.last == Some(change);
    let price = |step: &Step| Price {
        moves: step.moves(),
        score: step.offer.points.score(),
        others_lose: step.others_lose(),
    };
    let event = || Event {
        key: *key,
        released_by: released_by.filter(|_| state.is_news(change)),
        frontier: options.frontier.iter().map(price).collect(),
        change,
    };
    Ok((!done).then(event).into_iter().collect())
}

/// Takes an event into the state.
pub fn evolve(state: &mut State, event: &Event) {
    state.last = Some(event.change);
    if let Change::Waits(waiting) = event.change
        && !state.reasons.contains(&waiting)
    {
        state.reasons.push(waiting);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use crate::domain::frontier::{Moved, Offered, Unanswered};
    use crate::domain::inputs::tests::{pair, person};
    use crate::domain::pairing::Points;

    use super::*;
    use crate::domain::scoring::PerCriterion;

    fn key() -> Key {
        let tandem = TandemId::from_uuid(Uuid::from_u128(3));
        Key::of(tandem::Key { tandem, edition: EditionId::from_uuid(Uuid::from_u128(7)) }, person(1))
    }

    fn tandem_of(mentor: u128, mentee: u128) -> TandemId {
        tandem::Key::of_repair(key().repair, key().edition, pair(mentor, mentee)).tandem
    }

    fn offered(mentor: u128, mentee: u128) -> Offered {
        let by = PerCriterion([5_000, 0, 0, 0, 0, 0, 0]);
        Offered { pair: pair(mentor, mentee), points: Points { by, ..Points::default() } }
    }

    fn staying() -> Step {
        Step { offer: offered(11, 1), moved: None }
    }

    fn moving() -> Step {
        let Offered { pair, points } = offered(12, 2);
        let from = Unanswered { tandem: TandemId::from_uuid(Uuid::from_u128(9)), pair, points };
        Step { offer: offered(12, 1), moved: Some(Moved { from, to: offered(13, 2) }) }
    }

    fn command(frontier: &[Step], moves_max: i32, silences: i64) -> Command {
        let options = Options { frontier: frontier.to_vec(), looked: Looked::Everywhere };
        Command { key: key(), options, moves_max, silences, released_by: Some(person(50)) }
    }

    fn when(history: &[Change], command: &Command) -> Vec<Change> {
        let mut state = State::default();
        for change in history {
            let (frontier, released_by) = (Vec::new(), None);
            evolve(&mut state, &Event { key: key(), released_by, frontier, change: *change });
        }
        decide(&state, command).unwrap().into_iter().map(|event| event.change).collect()
    }

    #[test]
    fn as_few_as_possible_are_moved_for_who_is_left_over() {
        let stays = Change::Offered { tandem: tandem_of(11, 1), moved: None };
        assert_eq!(when(&[], &command(&[staying(), moving()], 1, 0)), [stays]);
        let moved = Some((TandemId::from_uuid(Uuid::from_u128(9)), tandem_of(13, 2)));
        let elsewhere = Change::Offered { tandem: tandem_of(12, 1), moved };
        assert_eq!(when(&[], &command(&[moving()], 1, 0)), [elsewhere]);
    }

    #[test]
    fn a_rule_that_allows_no_move_lets_the_executive_wait() {
        let waits = Change::Waits(Waiting::MovesExceeded);
        assert_eq!(when(&[], &command(&[moving()], 0, 0)), [waits]);
    }

    #[test]
    fn whoever_waits_is_served_as_soon_as_somebody_will_do() {
        let waits = Change::Waits(Waiting::NoMentor);
        assert_eq!(when(&[], &command(&[], 1, 0)), [waits]);
        assert_eq!(when(&[waits], &command(&[], 1, 0)), []);
        let offered = Change::Offered { tandem: tandem_of(11, 1), moved: None };
        assert_eq!(when(&[waits], &command(&[staying()], 1, 0)), [offered]);
        assert_eq!(when(&[waits, offered], &command(&[moving()], 1, 0)), [], "once");
    }

    #[test]
    fn whoever_was_silent_twice_is_the_offices_to_talk_to() {
        assert_eq!(when(&[], &command(&[staying()], 1, 1)).len(), 1);
        assert_eq!(when(&[], &command(&[staying()], 1, 2)), [Change::Waits(Waiting::Silent)]);
    }

    #[test]
    fn whoever_waits_is_told_how_far_was_looked() {
        let looked = |looked, frontier: &[Step]| {
            let options = Options { frontier: frontier.to_vec(), looked };
            when(&[], &Command { options, ..command(&[], 1, 0) })
        };
        assert_eq!(looked(Looked::Nowhere, &[]), [Change::Waits(Waiting::InLine)]);
        assert_eq!(looked(Looked::Partly, &[]), [Change::Waits(Waiting::TooManyOffers)]);
        let offered = Change::Offered { tandem: tandem_of(11, 1), moved: None };
        assert_eq!(
            looked(Looked::Partly, &[staying()]),
            [offered],
            "a free mentor is one however many moves there are"
        );
    }

    #[test]
    fn the_office_is_told_of_each_reason_once_and_never_that_others_come_first() {
        let mut state = State::default();
        let mut told = |looked| {
            let command = Command { options: Options { frontier: Vec::new(), looked }, ..command(&[], 1, 0) };
            let [event] = decide(&state, &command).unwrap().try_into().unwrap();
            evolve(&mut state, &event);
            event.released_by.is_some()
        };
        assert!(!told(Looked::Nowhere), "nothing to act on");
        assert!(told(Looked::Partly));
        assert!(!told(Looked::Nowhere));
        assert!(!told(Looked::Partly), "again");
        assert!(told(Looked::Everywhere));
        assert!(!told(Looked::Partly), "whatever came in between");
        let offered = decide(&state, &command(&[staying()], 1, 0)).unwrap();
        assert_eq!(offered[0].released_by, Some(person(50)));
    }

    #[test]
    fn the_prices_of_all_ways_are_kept() {
        let events = decide(&State::default(), &command(&[staying(), moving()], 1, 0)).unwrap();
        let price = |moves| Price { moves, score: 5_000, others_lose: 0 };
        assert_eq!(events[0].frontier, [price(0), price(1)]);
        assert_eq!(events[0].released_by, Some(person(50)));
    }
}
