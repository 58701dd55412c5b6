//! How an executive who is left over can be served, and what each way costs the others.
//!
//! The best set of tandems after one has ended would move many other pairs. Instead there is a frontier: the best way that moves
//! nobody, and the best that moves one other. Only an offer that neither side has answered is ever moved, and its mentee
//! has another one in the same moment.
//!
//! An edition has few mentors with a free place and few unanswered offers, so that looking at every way is exact and quick: the
//! work is the number of the former times the number of the latter.

use std::cmp::Reverse;

use identity::{PersonId, TandemId};

use crate::domain::Pair;
use crate::domain::pairing::Points;

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

/// The best way for each number of moves with which there is one, fewest first.
///
/// Best is what the edition is best served by: as few pairs as possible below the lowest band of scores, then below the next; the
/// largest score; the smallest ids. `fits` says how well two fit who may be paired.
#[must_use]
pub fn frontier(situation: &Situation, bands: &[i32], fits: impl Fn(Pair) -> Option<Points>) -> Vec<Step> {
    let offer = |mentor, mentee| {
        let pair = Pair { mentor, mentee };
        fits(pair).map(|points| Offered { pair, points })
    };
    let free = || situation.free.iter().copied();
    let staying =
        free().filter_map(|mentor| Some(Step { offer: offer(mentor, situation.mentee)?, moved: None }));
    let moving =
        situation.unanswered.iter().filter(|other| other.pair.mentee != situation.mentee).flat_map(|from| {
            let taken = offer(from.pair.mentor, situation.mentee);
            let elsewhere = free().filter(|mentor| *mentor != from.pair.mentor);
            elsewhere.filter_map(move |mentor| {
                let moved = Moved { from: *from, to: offer(mentor, from.pair.mentee)? };
                Some(Step { offer: taken?, moved: Some(moved) })
            })
        });
    let best = [staying.min_by_key(|step| rank(step, bands)), moving.min_by_key(|step| rank(step, bands))];
    best.into_iter().flatten().collect()
}

/// What a step changes for the edition, the smaller the better.
fn rank(step: &Step, bands: &[i32]) -> (Vec<i32>, Reverse<i32>, Pair, Option<Pair>) {
    let score = step.offer.points.score();
    let below = |band: &i32| {
        let counts = |points: Points| i32::from(points.score() < *band);
        let moved = step.moved.map_or(0, |moved| counts(moved.to.points) - counts(moved.from.points));
        counts(step.offer.points) + moved
    };
    let moved = step.moved.map(|moved| moved.to.pair);
    (bands.iter().map(below).collect(), Reverse(score - step.others_lose()), step.offer.pair, moved)
}

#[cfg(test)]
mod tests;
