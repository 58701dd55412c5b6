//! How an executive who is left over can be served, and what each way costs the others.
//!
//! The best set of tandems after one has ended would move many other pairs. Instead there is a frontier: the best way that moves
//! nobody, and the best that moves one other. Only an offer that neither side has answered is ever moved, and its mentee
//! has another one in the same moment.
//!
//! The solver finds it as it does for any assignment: the cheapest chain of so many moves.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::iter;

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

/// What was found for an executive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The ways to serve the executive, fewest moves first, each with more moves and better than the one before.
    pub steps: Vec<Step>,
    /// How many pairs were looked at.
    pub looked: usize,
    /// Whether every offer was looked at that may be moved.
    pub is_whole: bool,
}

/// The ways to serve the executive.
///
/// Best is what the edition is best served by: as few pairs as possible below the lowest band of scores, then below the next; the
/// largest score; what decides between equals in a run. `fits` says how well two fit who may be paired.
///
/// The executive's own pairs are looked at first, and then only whom else the free mentors could teach of those who have an offer
/// from a mentor for the executive. That may be very many, so it ends at `looked_max` pairs: then those offers were looked at with
/// which the executive would gain the most.
///
/// # Errors
/// [`Unsolvable`] if the solver cannot take the situation.
pub fn frontier(
    situation: &Situation,
    bands: &[u16],
    looked_max: usize,
    mut fits: impl FnMut(Pair) -> Option<Points>,
) -> Result<Found, Unsolvable> {
    let sitting = situation.unanswered.iter().map(|other| other.pair.mentor);
    let mentors: BTreeSet<PersonId> = situation.free.iter().copied().chain(sitting).collect();
    let mut own = |&mentor: &PersonId| Some((mentor, fits(Pair { mentor, mentee: situation.mentee })?));
    let row: BTreeMap<PersonId, Points> = mentors.iter().filter_map(&mut own).collect();
    let movable = movable(situation, &row);
    let rows_max = looked_max.saturating_sub(mentors.len()) / situation.free.len().max(1);
    let is_whole = movable.len() <= rows_max;
    let rows = movable.into_iter().take(rows_max).map(|other| {
        let elsewhere = elsewhere(&other, &situation.free, &mut fits);
        (other, elsewhere)
    });
    let market = Market { mentee: situation.mentee, row, others: rows.collect() };
    let looked = mentors.len() + market.others.len() * situation.free.len();
    Ok(Found { steps: market.steps(&situation.free, bands)?, looked, is_whole })
}

/// The offers that could make room for the executive, the most promising first; none where nobody could go elsewhere.
fn movable(situation: &Situation, row: &BTreeMap<PersonId, Points>) -> Vec<Unanswered> {
    if situation.free.is_empty() {
        return Vec::new();
    }
    let others = situation.unanswered.iter().filter(|other| other.pair.mentee != situation.mentee);
    let gain = |other: &Unanswered| Some(row.get(&other.pair.mentor)?.score() - other.points.score());
    let mut movable: Vec<_> = others.filter_map(|other| Some((Reverse(gain(other)?), *other))).collect();
    movable.sort_by_key(|(gain, other)| (*gain, other.tandem));
    movable.into_iter().map(|(_, other)| other).collect()
}

/// The best free mentors for somebody who would be moved: all those with the best score, between whom the solver decides.
fn elsewhere(
    other: &Unanswered,
    free: &[PersonId],
    mut fits: impl FnMut(Pair) -> Option<Points>,
) -> Vec<(PersonId, Points)> {
    let mut fitting = |&mentor: &PersonId| Some((mentor, fits(Pair { mentor, ..other.pair })?));
    let own = other.pair.mentor;
    let mut best: Vec<_> = free.iter().filter(|mentor| **mentor != own).filter_map(&mut fitting).collect();
    let most = best.iter().map(|(_, points)| points.score()).max();
    best.retain(|(_, points)| Some(points.score()) == most);
    best
}

/// The situation as the solver has it: the first executive is the one who is left over, the others have an offer each, and the
/// mentors to whom they could be moved.
struct Market {
    mentee: PersonId,
    row: BTreeMap<PersonId, Points>,
    others: Vec<(Unanswered, Vec<(PersonId, Points)>)>,
}

impl Market {
    fn steps(&self, free: &[PersonId], bands: &[u16]) -> Result<Vec<Step>, Unsolvable> {
        let sitting = self.others.iter().map(|(other, _)| other.pair.mentor);
        let mentors: BTreeSet<PersonId> = free.iter().copied().chain(sitting).collect();
        let mentors: Vec<PersonId> = mentors.into_iter().collect();
        let problem = self.problem(free, &mentors, bands);
        let seat = |(other, _): &(Unanswered, _)| mentors.binary_search(&other.pair.mentor).ok();
        let assignment: Vec<_> = iter::once(None).chain(self.others.iter().map(seat)).collect();
        let instance = Instance::new(&problem).map_err(Unsolvable::Problem)?;
        let repairs = instance.frontier(&assignment, 0, MOVES_MAX).map_err(Unsolvable::Changed)?;
        let step = |repair: &Repair| {
            let &(_, to) = repair.moves.first()?;
            let offer = offered(self.mentee, &self.row, mentors[to])?;
            let Some(&(executive, to)) = repair.moves.get(1) else {
                return Some(Step { offer, moved: None });
            };
            let (from, elsewhere) = &self.others[executive - 1];
            let elsewhere = elsewhere.iter().copied().collect();
            let to = offered(from.pair.mentee, &elsewhere, mentors[to])?;
            Some(Step { offer, moved: Some(Moved { from: *from, to }) })
        };
        Ok(repairs.iter().filter_map(step).collect())
    }

    /// Places are those that are free, and those that the offers hold.
    fn problem(&self, free: &[PersonId], mentors: &[PersonId], bands: &[u16]) -> Problem {
        let mut places: BTreeMap<PersonId, u32> = free.iter().map(|mentor| (*mentor, 1)).collect();
        for (other, _) in &self.others {
            *places.entry(other.pair.mentor).or_default() += 1;
        }
        // Two offers of one executive are apart, as each can be moved.
        let keys = self.others.iter().map(|(other, _)| key(other.tandem.uuid()));
        let keys = iter::once(key(self.mentee.uuid())).chain(keys);
        let pair = |executive, (mentor, points): (PersonId, Points)| {
            let mentor = u32::try_from(mentors.binary_search(&mentor).ok()?).ok()?;
            Some(assignment::Pair { executive, mentor, score: u16::try_from(points.score()).ok()? })
        };
        let own = self.row.iter().filter_map(|(mentor, points)| pair(0, (*mentor, *points)));
        let moved = (1..).zip(&self.others).flat_map(|(executive, (other, elsewhere))| {
            let now = (other.pair.mentor, other.points);
            iter::once(now).chain(elsewhere.iter().copied()).filter_map(move |to| pair(executive, to))
        });
        let mentor = |mentor: &PersonId| assignment::Mentor {
            key: key(mentor.uuid()),
            capacity: places.get(mentor).copied().unwrap_or_default(),
        };
        Problem {
            executives: keys.map(|key| Executive { key, obliged: true }).collect(),
            mentors: mentors.iter().map(mentor).collect(),
            pairs: own.chain(moved).collect(),
            locks: Vec::new(),
            bands: bands.to_vec(),
        }
    }
}

fn offered(mentee: PersonId, row: &BTreeMap<PersonId, Points>, mentor: PersonId) -> Option<Offered> {
    Some(Offered { pair: Pair { mentor, mentee }, points: *row.get(&mentor)? })
}

/// What decides between equals: the half of an id that is a hash or random.
fn key(id: Uuid) -> u64 {
    id.as_u64_pair().1
}

#[cfg(test)]
mod tests;
