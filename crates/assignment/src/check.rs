//! The proof, recomputed: a second implementation of what the solver claims.
//!
//! It shares the statement only: [`Problem`] with its validation, which also hands the pairs to both, [`Solution`] and
//! [`Cost`]. What a pair costs is written here a second time, in wider integers, so that an error in the one does not hide
//! in the other. Time is linear in the number of pairs, unless these have to be sorted to be validated, and memory in that
//! of people.

use std::array;
use std::collections::HashSet;

use crate::cost::{Cost, LEVELS};
use crate::problem::{Invalid, Pair, Problem};
use crate::solve::Solution;

/// Why a solution is not proved to be the best one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The problem itself contradicts itself.
    #[error("the problem is invalid")]
    Problem(#[source] Invalid),
    /// The numbers of executives or of prices are not those of the problem.
    #[error("the solution belongs to another problem")]
    Shape,
    /// An executive's mentor is not an admissible one.
    #[error("executive {executive} has a mentor who is not admissible")]
    NoPair {
        /// Index of the executive.
        executive: usize,
    },
    /// A lock is not kept.
    #[error("executive {executive} is not with the mentor of the lock")]
    Lock {
        /// Index of the executive.
        executive: usize,
    },
    /// A mentor has more executives than places.
    #[error("mentor {mentor} has more executives than places")]
    OverCapacity {
        /// Index of the mentor.
        mentor: usize,
    },
    /// A price is below zero.
    #[error("the price of mentor {mentor} is below zero")]
    NegativePrice {
        /// Index of the mentor.
        mentor: usize,
    },
    /// The cost or the score stated is not that of the assignment.
    #[error("the cost or the score stated is not that of the assignment")]
    Sum,
    /// A pair that is not listed could be better for an executive.
    #[error("a pair that is not listed could be better for executive {executive}")]
    Omitted {
        /// Index of the executive.
        executive: usize,
    },
    /// The bound that the prices prove is not attained: a better assignment may exist.
    #[error("the prices do not prove that nothing better exists")]
    Gap,
}

type Levels = [i128; LEVELS];

/// Accepts a solution if it is feasible and its prices prove that nothing better exists.
///
/// # Errors
///
/// [`Flaw`] with the first thing found to be wrong.
pub fn check(problem: &Problem, solution: &Solution) -> Result<(), Flaw> {
    proved(problem, solution).map(|_| ())
}

/// Accepts the solution of a problem that lists only some of its admissible pairs, if it is the best over all of them.
///
/// `omitted` is, per executive, the best score of a pair that is not listed.
///
/// # Errors
///
/// [`Flaw`] with the first thing found to be wrong.
pub fn check_pruned(problem: &Problem, omitted: &[Option<u16>], solution: &Solution) -> Result<(), Flaw> {
    let demand = proved(problem, solution)?;
    if omitted.len() != demand.len() {
        return Err(Flaw::Shape);
    }
    let locked: HashSet<usize> = problem.locks.iter().map(|lock| lock.0).collect();
    for (executive, Demand { least, .. }) in demand.into_iter().enumerate() {
        let is_within_reach = |score| merit(problem, score).map(i128::from) < least;
        if omitted[executive].is_some_and(is_within_reach) && !locked.contains(&executive) {
            return Err(Flaw::Omitted { executive });
        }
    }
    Ok(())
}

/// What the pairs say about one executive.
#[derive(Clone, Copy, Debug)]
struct Demand {
    /// The score of the pair that is part of the assignment.
    score: Option<u16>,
    /// The least this executive can be had for (*u*).
    least: Levels,
    /// The points of some pair that asks for nothing else but a tie-break.
    enough: i32,
}

fn proved(problem: &Problem, solution: &Solution) -> Result<Vec<Demand>, Flaw> {
    let prices = &solution.certificate.prices;
    if (solution.assignment.len(), prices.len()) != (problem.executives.len(), problem.mentors.len()) {
        return Err(Flaw::Shape);
    }
    let demand = demand(problem, solution).map_err(Flaw::Problem)?;
    feasible(problem, &solution.assignment, &demand)?;
    let cost = cost(problem, &solution.assignment, &demand);
    let score: i64 = demand.iter().filter_map(|demand| demand.score).map(i64::from).sum();
    if (cost, score) != (wide(solution.certificate.cost), solution.score) {
        return Err(Flaw::Sum);
    }
    if let Some(mentor) = prices.iter().position(|&price| price < Cost::ZERO) {
        return Err(Flaw::NegativePrice { mentor });
    }
    if lower_bound(problem, prices, &demand) == cost { Ok(demand) } else { Err(Flaw::Gap) }
}

/// Validates the problem, and reads the pairs of each executive at the moment when they are in the cache for that.
fn demand(problem: &Problem, solution: &Solution) -> Result<Vec<Demand>, Invalid> {
    let mut reading = Reading::new(problem, solution);
    if !problem.validate_with(|own| reading.read(own))? {
        reading = Reading::new(problem, solution);
        problem.pairs.chunks(1).for_each(|own| reading.read(own));
    }
    Ok(reading.demand)
}

struct Reading<'a> {
    problem: &'a Problem,
    solution: &'a Solution,
    /// Per mentor, the points of the price, if it is nothing but points and a tie-break; below anything else.
    price_points: Vec<i32>,
    /// The score from which a pair is below no band.
    fair: u16,
    /// Per executive, the mentor of the lock.
    locked: Vec<Option<usize>>,
    demand: Vec<Demand>,
    /// Per pair of one executive, the points of what it costs with the price of the mentor.
    asked: Vec<i32>,
}

impl<'a> Reading<'a> {
    fn new(problem: &'a Problem, solution: &'a Solution) -> Self {
        let executives = 0..problem.executives.len();
        let mut locked = vec![None; executives.len()];
        // Whether locks name people who exist is not known before the end of the validation.
        for &(executive, mentor) in problem.locks.iter().filter(|lock| lock.0 < executives.len()) {
            locked[executive] = Some(mentor);
        }
        Self {
            problem,
            solution,
            price_points: solution.certificate.prices.iter().copied().map(points).collect(),
            fair: problem.bands.last().copied().unwrap_or_default(),
            locked,
            demand: executives
                .map(|executive| Demand { score: None, least: penalty(problem, executive), enough: i32::MAX })
                .collect(),
            asked: Vec::new(),
        }
    }

    /// Reads some pairs of one executive, who are admissible.
    fn read(&mut self, own: &[Pair]) {
        let executive = own[0].executive as usize;
        let (demand, lock) = (&mut self.demand[executive], self.locked[executive]);
        let mentor = self.solution.assignment[executive].unwrap_or(usize::MAX);
        // Most pairs are dearer by their points alone than one that costs nothing but points and a tie-break.
        let mut enough = demand.enough;
        self.asked.clear();
        self.asked.extend(own.iter().map(|pair| {
            if pair.mentor as usize == mentor {
                demand.score = Some(pair.score);
            }
            let points = 10_000 - i32::from(pair.score) + self.price_points[pair.mentor as usize];
            if points < enough && points >= 0 && pair.score >= self.fair {
                enough = points;
            }
            points
        }));
        demand.enough = enough;
        for (pair, &points) in own.iter().zip(&self.asked) {
            let mentor = pair.mentor as usize;
            if lock.map_or(points <= enough, |lock| lock == mentor) {
                let price = wide(self.solution.certificate.prices[mentor]);
                let asked = add(pair_cost(self.problem, pair), 1, price);
                demand.least = if lock.is_some() { asked } else { asked.min(demand.least) };
            }
        }
    }
}

/// The points of a price that has no part in the goals before them, and not too many to be added; below anything else.
fn points(price: Cost) -> i32 {
    const BELOW: i32 = -(1 << 30);
    let [people @ .., points, _] = <[i64; LEVELS]>::from(price);
    let points = i32::try_from(points).unwrap_or(BELOW);
    let is_plain = (0..-BELOW).contains(&points) && people.iter().all(|&level| level == 0);
    if is_plain { points } else { BELOW }
}

/// Whether the assignment keeps to the admissible pairs, the locks and the places.
fn feasible(problem: &Problem, assignment: &[Option<usize>], demand: &[Demand]) -> Result<(), Flaw> {
    if let Some(&(executive, _)) = problem.locks.iter().find(|lock| assignment[lock.0] != Some(lock.1)) {
        return Err(Flaw::Lock { executive });
    }
    let mut places: Vec<u32> = problem.mentors.iter().map(|mentor| mentor.capacity).collect();
    for (executive, mentor) in assignment.iter().enumerate() {
        let &Some(mentor) = mentor else { continue };
        if demand[executive].score.is_none() {
            return Err(Flaw::NoPair { executive });
        }
        places[mentor] = places[mentor].checked_sub(1).ok_or(Flaw::OverCapacity { mentor })?;
    }
    Ok(())
}

fn cost(problem: &Problem, assignment: &[Option<usize>], demand: &[Demand]) -> Levels {
    let mut sum = [0; LEVELS];
    for (executive, mentor) in assignment.iter().enumerate() {
        let cost = match mentor.zip(demand[executive].score) {
            Some((mentor, score)) => cost_of(problem, (executive, mentor), score),
            None => penalty(problem, executive),
        };
        sum = add(sum, 1, cost);
    }
    sum
}

/// Σu − Σ b\_j p\_j: no assignment that keeps the locks costs less, whatever the prices ≥ 0.
fn lower_bound(problem: &Problem, prices: &[Cost], demand: &[Demand]) -> Levels {
    let demand = demand.iter().fold([0; LEVELS], |sum, demand| add(sum, 1, demand.least));
    let supply = problem.mentors.iter().zip(prices).filter(|(_, price)| **price != Cost::ZERO);
    supply.fold(demand, |sum, (mentor, &price)| add(sum, -i128::from(mentor.capacity), wide(price)))
}

/// Levels in the order of [`crate::Cost`]: obliged, unmatched, the bands, loss, tie.
fn penalty(problem: &Problem, executive: usize) -> Levels {
    let mut levels = [0; LEVELS];
    levels[0] = i128::from(problem.executives[executive].obliged);
    levels[1] = 1;
    levels
}

fn pair_cost(problem: &Problem, pair: &Pair) -> Levels {
    cost_of(problem, (pair.executive as usize, pair.mentor as usize), pair.score)
}

fn cost_of(problem: &Problem, (executive, mentor): (usize, usize), score: u16) -> Levels {
    let mut levels = merit(problem, score).map(i128::from);
    let keys = [problem.executives[executive].key, problem.mentors[mentor].key];
    levels[LEVELS - 1] = i128::from(keys.into_iter().fold(0, split_mix) >> 24);
    levels
}

/// The cost of a pair but for its tie-break.
fn merit(problem: &Problem, score: u16) -> [i64; LEVELS] {
    let mut levels = [0; LEVELS];
    for (level, &limit) in levels[2..].iter_mut().zip(&problem.bands) {
        *level = i64::from(score < limit);
    }
    levels[LEVELS - 2] = 10_000 - i64::from(score);
    levels
}

/// The output of `SplitMix64` for the state `seed + key` (see the source given in `cost`).
fn split_mix(seed: u64, key: u64) -> u64 {
    let mut bits = seed.wrapping_add(key).wrapping_add(0x9e37_79b9_7f4a_7c15);
    for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
        bits = (bits ^ (bits >> shift)).wrapping_mul(factor);
    }
    bits ^ (bits >> 31)
}

fn wide(cost: Cost) -> Levels {
    <[i64; LEVELS]>::from(cost).map(i128::from)
}

fn add(sum: Levels, factor: i128, levels: Levels) -> Levels {
    array::from_fn(|level| sum[level] + factor * levels[level])
}
