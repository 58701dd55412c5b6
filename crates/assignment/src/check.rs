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
    let cost = cost_if_feasible(problem, &solution.assignment)?;
    let score = |pair: &&Pair| solution.assignment[pair.executive as usize] == Some(pair.mentor as usize);
    let score: i64 = problem.pairs.iter().filter(score).map(|pair| i64::from(pair.score)).sum();
    if (cost, score) != (wide(solution.certificate.cost), solution.score) {
        return Err(Flaw::Sum);
    }
    let prices: Vec<Levels> = solution.certificate.prices.iter().copied().map(wide).collect();
    if let Some(mentor) = prices.iter().position(|&price| price < [0; LEVELS]) {
        return Err(Flaw::NegativePrice { mentor });
    }
    if lower_bound(problem, &prices) == cost { Ok(()) } else { Err(Flaw::Gap) }
}

/// What the assignment costs, if it keeps to the admissible pairs, the locks and the places.
fn cost_if_feasible(problem: &Problem, assignment: &[Option<usize>]) -> Result<Levels, Flaw> {
    if let Some(&(executive, _)) = problem.locks.iter().find(|lock| assignment[lock.0] != Some(lock.1)) {
        return Err(Flaw::Lock { executive });
    }
    let mut paid: Vec<Option<Levels>> = vec![None; assignment.len()];
    for pair in
        problem.pairs.iter().filter(|pair| assignment[pair.executive as usize] == Some(pair.mentor as usize))
    {
        paid[pair.executive as usize] = Some(pair_cost(problem, pair));
    }
    let mut places: Vec<u32> = problem.mentors.iter().map(|mentor| mentor.capacity).collect();
    let mut total = [0; LEVELS];
    for (executive, mentor) in assignment.iter().enumerate() {
        let cost = match mentor {
            None => penalty(problem, executive),
            Some(_) => paid[executive].ok_or(Flaw::NoPair { executive })?,
        };
        total = add(total, 1, cost);
        if let &Some(mentor) = mentor {
            places[mentor] = places[mentor].checked_sub(1).ok_or(Flaw::OverCapacity { mentor })?;
        }
    }
    Ok(total)
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
    let prices: Vec<Levels> = solution.certificate.prices.iter().copied().map(wide).collect();
    let locked: Vec<usize> = problem.locks.iter().map(|lock| lock.0).collect();
    for (executive, least) in least(problem, &prices).into_iter().enumerate() {
        let is_within_reach = |score| merit(problem, score) < least;
        if omitted[executive].is_some_and(is_within_reach) && !locked.contains(&executive) {
            return Err(Flaw::Omitted { executive });
        }
    }
    Ok(())
}

/// Σu − Σ b\_j p\_j: no assignment that keeps the locks costs less, whatever the prices ≥ 0.
fn lower_bound(problem: &Problem, prices: &[Levels]) -> Levels {
    let demand = least(problem, prices).into_iter().fold([0; LEVELS], |sum, least| add(sum, 1, least));
    let supply = problem.mentors.iter().zip(prices);
    supply.fold(demand, |sum, (mentor, &price)| add(sum, -i128::from(mentor.capacity), price))
}

/// Per executive, u.
fn least(problem: &Problem, prices: &[Levels]) -> Vec<Levels> {
    let mut locked = vec![None; problem.executives.len()];
    for &(executive, mentor) in &problem.locks {
        locked[executive] = Some(mentor);
    }
    let mut least: Vec<Levels> = (0..locked.len()).map(|executive| penalty(problem, executive)).collect();
    for pair in &problem.pairs {
        let (executive, mentor) = (pair.executive as usize, pair.mentor as usize);
        let asked = || add(pair_cost(problem, pair), 1, prices[mentor]);
        match locked[executive] {
            // The tie-break is dear to compute, and decides only between pairs that are equal in all else.
            None if add(merit(problem, pair.score), 1, prices[mentor]) < least[executive] => {
                least[executive] = asked().min(least[executive]);
            }
            Some(locked) if locked == mentor => least[executive] = asked(),
            _ => {}
        }
    }
    least
}

/// Levels in the order of [`crate::Cost`]: obliged, unmatched, the bands, loss, tie.
fn penalty(problem: &Problem, executive: usize) -> Levels {
    let mut levels = [0; LEVELS];
    levels[0] = i128::from(problem.executives[executive].obliged);
    levels[1] = 1;
    levels
}

fn pair_cost(problem: &Problem, pair: &Pair) -> Levels {
    let mut levels = merit(problem, pair.score);
    let keys = [problem.executives[pair.executive as usize].key, problem.mentors[pair.mentor as usize].key];
    levels[LEVELS - 1] = i128::from(keys.into_iter().fold(0, split_mix) >> 24);
    levels
}

fn merit(problem: &Problem, score: u16) -> Levels {
    let mut levels = [0; LEVELS];
    for (band, &limit) in problem.bands.iter().enumerate() {
        levels[2 + band] = i128::from(score < limit);
    }
    levels[LEVELS - 2] = 10_000 - i128::from(score);
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
