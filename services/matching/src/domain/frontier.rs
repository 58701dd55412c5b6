//! How an executive who is left over can be served, and what each way costs the others.
//!
//! The best set of tandems after one has ended would move many other pairs. Instead there is a frontier: the best way that moves
//! nobody, and the best that moves one other. Only an offer that neither side has answered is ever moved, and its mentee
//! has another one in the same moment.
//!
//! The solver finds it as it does for any assignment: the cheapest chain of so many moves.

use std::collections::BTreeSet;

use assignment::{Executive, Instance, Problem, Repair};
use identity::{PersonId, TandemId};
use uuid::Uuid;

use crate::domain::Pair;
use crate::domain::computation::Unsolvable;
use crate::domain::pairing::Points;

/// Offers of others that may be moved at once.
const MOVES_MAX: usize = 1;

/// What there is to serve an executive with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Situation {
    /// The executive who is left over.
    pub mentee: PersonId,
    /// Mentors with a free place.
    pub free: Vec<PersonId>,
    /// Offers to others that nobody has answered.
    pub unanswered: Vec<Unanswered>,
}

/// An offer to somebody else that may be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// The tandem.
    pub tandem: TandemId,
    /// The two.
    pub pair: Pair,
    /// What its score is made of.
    pub points: Points,
}

/// One way to serve the executive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The executive's new pair.
    pub offer: Offered,
    /// The offer that is moved for it.
    pub moved: Option<Moved>,
}

/// A pair to be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The two.
    pub pair: Pair,
    /// What the score is made of.
    pub points: Points,
}

/// An offer that gives way, and what its mentee gets instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The offer that is taken back.
    pub from: Unanswered,
    /// The offer in its place.
    pub to: Offered,
}

impl Step {
    /// Offers of others that it moves.
    #[must_use]
    pub fn moves(&self) -> i32 {
        i32::from(self.moved.is_some())
    }

    /// What the score of the others loses; below zero when it gains.
    #[must_use]
    pub fn others_lose(&self) -> i32 {
        self.moved.map_or(0, |moved| moved.from.points.score() - moved.to.points.score())
    }
}

/// The ways to serve the executive, fewest moves first, each with more moves and better than the one before.
///
/// Best is what the edition is best served by: as few pairs as possible below the lowest band of scores, then below the next; the
/// largest score; what decides between equals in a run. `fits` says how well two fit who may be paired.
///
/// # Errors
/// [`Unsolvable`] if the solver cannot take the situation.
pub fn frontier(
    situation: &Situation,
    bands: &[u16],
    fits: impl Fn(Pair) -> Option<Points>,
) -> Result<Vec<Step>, Unsolvable> {
    let others = situation.unanswered.iter().filter(|other| other.pair.mentee != situation.mentee);
    let market = Market { mentee: situation.mentee, others: others.copied().collect() };
    let sitting = market.others.iter().map(|other| other.pair.mentor);
    let mentors: BTreeSet<PersonId> = situation.free.iter().copied().chain(sitting).collect();
    let mentors: Vec<PersonId> = mentors.into_iter().collect();
    let problem = market.problem(situation, &mentors, bands, &fits);
    let assignment: Vec<Option<usize>> = std::iter::once(None)
        .chain(market.others.iter().map(|other| mentors.binary_search(&other.pair.mentor).ok()))
        .collect();
    let instance = Instance::new(&problem).map_err(Unsolvable::Problem)?;
    let repairs = instance.frontier(&assignment, 0, MOVES_MAX).map_err(Unsolvable::Changed)?;
    let offered = |&(executive, mentor): &(usize, usize)| {
        let pair = Pair { mentor: mentors[mentor], mentee: market.mentee_at(executive) };
        fits(pair).map(|points| Offered { pair, points })
    };
    let step = |repair: &Repair| {
        let offer = offered(repair.moves.first()?)?;
        let moved = match repair.moves.get(1) {
            Some(to) => Some(Moved { from: market.others[to.0 - 1], to: offered(to)? }),
            None => None,
        };
        Some(Step { offer, moved })
    };
    Ok(repairs.iter().filter_map(step).collect())
}

/// The situation as the solver has it: the first executive is the one who is left over, the others have an offer each.
struct Market {
    mentee: PersonId,
    others: Vec<Unanswered>,
}

impl Market {
    fn mentee_at(&self, executive: usize) -> PersonId {
        executive.checked_sub(1).map_or(self.mentee, |other| self.others[other].pair.mentee)
    }

    /// Places are those that are free, and those that the offers hold.
    fn problem(
        &self,
        situation: &Situation,
        mentors: &[PersonId],
        bands: &[u16],
        fits: impl Fn(Pair) -> Option<Points>,
    ) -> Problem {
        let free: BTreeSet<PersonId> = situation.free.iter().copied().collect();
        let held = |mentor| self.others.iter().filter(|other| other.pair.mentor == mentor).count();
        let capacity = |mentor: PersonId| usize::from(free.contains(&mentor)) + held(mentor);
        // Two offers of one executive are apart, as each can be moved.
        let keys = self.others.iter().map(|other| key(other.tandem.uuid()));
        let keys = std::iter::once(key(self.mentee.uuid())).chain(keys);
        let points = |executive: usize, mentor| {
            let pair = Pair { mentor, mentee: self.mentee_at(executive) };
            let own = executive.checked_sub(1).map(|other| self.others[other]);
            own.filter(|own| own.pair == pair).map(|own| own.points).or_else(|| fits(pair))
        };
        let row = |(executive, index): (usize, u32)| {
            let found = (0..).zip(mentors).filter_map(move |(mentor, person)| {
                let score = u16::try_from(points(executive, *person)?.score()).ok()?;
                Some(assignment::Pair { executive: index, mentor, score })
            });
            found.collect::<Vec<_>>()
        };
        Problem {
            executives: keys.map(|key| Executive { key, obliged: true }).collect(),
            mentors: mentors
                .iter()
                .map(|mentor| assignment::Mentor {
                    key: key(mentor.uuid()),
                    capacity: u32::try_from(capacity(*mentor)).unwrap_or(u32::MAX),
                })
                .collect(),
            pairs: (0..=self.others.len()).zip(0..).flat_map(row).collect(),
            locks: Vec::new(),
            bands: bands.to_vec(),
        }
    }
}

/// What decides between equals: the half of an id that is a hash or random.
fn key(id: Uuid) -> u64 {
    id.as_u64_pair().1
}

#[cfg(test)]
mod tests;
