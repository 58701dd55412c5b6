//! The proof, recomputed: a second implementation that shares no code with the solver.
//!
//! It shares the statement only ([`Problem`] with its validation, and [`Solution`]); what a pair costs is written here a
//! second time, in wider integers, so that an error in the one does not hide in the other. Apart from the validation,
//! which sorts, time and memory are linear in the number of pairs.

use std::array;

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
    problem.validate().map_err(Flaw::Problem)?;
    let people = (solution.assignment.len(), solution.certificate.prices.len());
    if people != (problem.executives.len(), problem.mentors.len()) {
        return Err(Flaw::Shape);
    }
    let chosen = chosen(problem, &solution.assignment)?;
    let scores = chosen.iter().flatten().map(|pair| i64::from(pair.score));
    let cost = cost(problem, &chosen);
    if (cost, scores.sum()) != (wide(solution.certificate.cost), solution.score) {
        return Err(Flaw::Sum);
    }
    let prices = prices(solution);
    if let Some(mentor) = prices.iter().position(|&price| price < [0; LEVELS]) {
        return Err(Flaw::NegativePrice { mentor });
    }
    if lower_bound(problem, &prices) == cost { Ok(()) } else { Err(Flaw::Gap) }
}

fn prices(solution: &Solution) -> Vec<[i64; LEVELS]> {
    solution.certificate.prices.iter().map(|&price| price.into()).collect()
}

/// The pairs of the assignment, if it keeps to the admissible ones, the locks and the places.
fn chosen<'a>(problem: &'a Problem, assignment: &[Option<usize>]) -> Result<Vec<Option<&'a Pair>>, Flaw> {
    if let Some(&(executive, _)) = problem.locks.iter().find(|lock| assignment[lock.0] != Some(lock.1)) {
        return Err(Flaw::Lock { executive });
    }
    let mut chosen = vec![None; assignment.len()];
    for pair in &problem.pairs {
        let executive = pair.executive as usize;
        if assignment[executive] == Some(pair.mentor as usize) {
            chosen[executive] = Some(pair);
        }
    }
    let mut places: Vec<u32> = problem.mentors.iter().map(|mentor| mentor.capacity).collect();
    for (executive, mentor) in assignment.iter().enumerate() {
        let &Some(mentor) = mentor else { continue };
        if chosen[executive].is_none() {
            return Err(Flaw::NoPair { executive });
        }
        places[mentor] = places[mentor].checked_sub(1).ok_or(Flaw::OverCapacity { mentor })?;
    }
    Ok(chosen)
}

fn cost(problem: &Problem, chosen: &[Option<&Pair>]) -> Levels {
    let mut sum = [0; LEVELS];
    for (executive, pair) in chosen.iter().enumerate() {
        let cost = pair.map_or_else(|| penalty(problem, executive), |pair| pair_cost(problem, pair));
        sum = add(sum, 1, cost);
    }
    sum
}

/// Accepts the solution of a problem that lists only some of its admissible pairs, if it is the best over all of them.
///
/// `omitted` is, per executive, the best score of a pair that is not listed.
///
/// # Errors
///
/// [`Flaw`] with the first thing found to be wrong.
pub fn check_pruned(problem: &Problem, omitted: &[Option<u16>], solution: &Solution) -> Result<(), Flaw> {
    check(problem, solution)?;
    if omitted.len() != problem.executives.len() {
        return Err(Flaw::Shape);
    }
    let prices = prices(solution);
    let locked: Vec<usize> = problem.locks.iter().map(|lock| lock.0).collect();
    for (executive, least) in least(problem, &prices).into_iter().enumerate() {
        let is_within_reach = |score| merit(problem, score).map(i128::from) < least;
        if omitted[executive].is_some_and(is_within_reach) && !locked.contains(&executive) {
            return Err(Flaw::Omitted { executive });
        }
    }
    Ok(())
}

/// Σu − Σ b\_j p\_j: no assignment that keeps the locks costs less, whatever the prices ≥ 0.
fn lower_bound(problem: &Problem, prices: &[[i64; LEVELS]]) -> Levels {
    let demand = least(problem, prices).into_iter().fold([0; LEVELS], |sum, least| add(sum, 1, least));
    let supply = problem.mentors.iter().zip(prices);
    supply.fold(demand, |sum, (mentor, price)| add(sum, -i128::from(mentor.capacity), price.map(i128::from)))
}

/// Per executive, u.
fn least(problem: &Problem, prices: &[[i64; LEVELS]]) -> Vec<Levels> {
    let mut locked = vec![None; problem.executives.len()];
    for &(executive, mentor) in &problem.locks {
        locked[executive] = Some(mentor);
    }
    let price_points = |price: &[i64; LEVELS]| points(&price.map(i128::from)).unwrap_or(i64::MIN);
    let price_points: Vec<i64> = prices.iter().map(price_points).collect();
    let mut least: Vec<Levels> = (0..locked.len()).map(|executive| penalty(problem, executive)).collect();
    let mut least_points = vec![i64::MAX; least.len()];
    for pair in &problem.pairs {
        let (executive, mentor) = (pair.executive as usize, pair.mentor as usize);
        // Most pairs are dearer by their points alone.
        let is_dearer = 10_000 - i64::from(pair.score) + price_points[mentor] > least_points[executive];
        if is_dearer && locked[executive].is_none() {
            continue;
        }
        let (price, least) = (&prices[mentor], &mut least[executive]);
        let asked = || add(pair_cost(problem, pair), 1, price.map(i128::from));
        match locked[executive] {
            // The tie-break is dear to compute, and decides only between pairs that are equal in all else.
            None if is_below(&merit(problem, pair.score), price, least) => *least = asked().min(*least),
            Some(locked) if locked == mentor => *least = asked(),
            _ => continue,
        }
        least_points[executive] = points(least).unwrap_or(i64::MAX);
    }
    least
}

/// The points of score, if no goal before the score has a part in it, and they are few enough to be added; else nothing
/// can be said by points alone.
fn points(levels: &Levels) -> Option<i64> {
    let [people @ .., points, _] = levels;
    let points = i64::try_from(*points).ok().filter(|points| points.abs() < 1 << 40);
    points.filter(|_| people.iter().all(|&level| level == 0))
}

/// Whether a cost and a price are less than this together.
fn is_below(cost: &[i64; LEVELS], price: &[i64; LEVELS], least: &Levels) -> bool {
    let asked = cost.iter().zip(price).map(|(&cost, &price)| i128::from(cost) + i128::from(price));
    asked.lt(least.iter().copied())
}

/// Levels in the order of [`crate::Cost`]: obliged, unmatched, the bands, loss, tie.
fn penalty(problem: &Problem, executive: usize) -> Levels {
    let mut levels = [0; LEVELS];
    levels[0] = i128::from(problem.executives[executive].obliged);
    levels[1] = 1;
    levels
}

fn pair_cost(problem: &Problem, pair: &Pair) -> Levels {
    let mut levels = merit(problem, pair.score).map(i128::from);
    let keys = [problem.executives[pair.executive as usize].key, problem.mentors[pair.mentor as usize].key];
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
