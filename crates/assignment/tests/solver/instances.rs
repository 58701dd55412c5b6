//! Random problems, and what an assignment is worth by the statement of the problem alone.

use std::cmp::Reverse;

use assignment::{Executive, Mentor, Pair, Problem, Solution, solve};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Up to six executives and five mentors: all assignments can be tried.
pub(crate) fn tiny() -> impl Strategy<Value = Problem> {
    problems(6, 5, 0.6)
}

/// Up to twelve executives and eight mentors: linear programs are solved fast.
pub(crate) fn programs() -> impl Strategy<Value = Problem> {
    problems(12, 8, 0.4)
}

/// A market with twenty candidates each, by a fixed sequence of random numbers (Knuth, *The Art of Computer Programming*,
/// volume 2, section 3.3.4); scores are what the mentor is worth to everybody and to this executive.
pub(crate) fn market(executives: u32, mentors: u32, capacity: u32) -> Problem {
    let mut state = 20_130_901_u64;
    let mut draw = |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(state >> 33).expect("31 bits are left") % below
    };
    let worth: Vec<u32> = (0..mentors).map(|_| draw(5_001)).collect();
    let mut pairs = Vec::new();
    for executive in 0..executives {
        let mut candidates: Vec<u32> = (0..20).map(|_| draw(mentors)).collect();
        candidates.sort_unstable();
        candidates.dedup();
        pairs.extend(candidates.into_iter().map(|mentor| {
            let score = worth[mentor as usize] + draw(5_001);
            Pair { executive, mentor, score: u16::try_from(score).expect("it is no more than 10,000") }
        }));
    }
    Problem {
        executives: (0..executives).map(|key| Executive { key: key.into(), obliged: key % 3 > 0 }).collect(),
        mentors: (0..mentors).map(|key| Mentor { key: key.into(), capacity }).collect(),
        pairs,
        locks: Vec::new(),
        bands: vec![2_000, 3_000],
    }
}

/// Up to thirty executives and fifteen mentors.
pub(crate) fn small() -> impl Strategy<Value = Problem> {
    problems(30, 15, 0.3)
}

/// Few different scores, so that there are ties on every level.
fn problems(executives: usize, mentors: usize, density: f64) -> impl Strategy<Value = Problem> {
    (1..=executives, 1..=mentors).prop_flat_map(move |(executives, mentors)| {
        let score = prop_oneof![select(vec![0, 1_999, 2_000, 2_999, 3_000, 9_000, 10_000]), 0..=10_000_u16];
        (
            vec(any::<bool>(), executives),
            vec(0..=2_u32, mentors),
            vec(prop::option::weighted(density, score), executives * mentors),
            vec(0..executives * mentors, 0..=2),
            subsequence(vec![2_000, 3_000, 9_000, 10_000], 0..=4),
            any::<u64>(),
        )
            .prop_map(|(obliged, capacities, scores, locks, bands, seed)| {
                let mut problem = Problem {
                    executives: (seed >> 1..)
                        .zip(obliged)
                        .map(|(key, obliged)| Executive { key, obliged })
                        .collect(),
                    mentors: (seed >> 1..)
                        .zip(capacities)
                        .map(|(key, capacity)| Mentor { key, capacity })
                        .collect(),
                    bands,
                    ..Problem::default()
                };
                let at = |cell: usize| (cell / problem.mentors.len(), cell % problem.mentors.len());
                problem.pairs = scores
                    .iter()
                    .enumerate()
                    .filter_map(|(cell, &score)| {
                        let (executive, mentor) = at(cell);
                        score.map(|score| pair(executive, mentor, score))
                    })
                    .collect();
                let locks: Vec<_> = locks.into_iter().map(at).collect();
                for lock in locks {
                    problem.locks.push(lock);
                    if problem.validate().is_err() {
                        problem.locks.pop();
                    }
                }
                problem
            })
    })
}

pub(crate) fn pair(executive: usize, mentor: usize, score: u16) -> Pair {
    let [executive, mentor] =
        [executive, mentor].map(|index| u32::try_from(index).expect("there are few people"));
    Pair { executive, mentor, score }
}

pub(crate) fn score_of(problem: &Problem, executive: usize, mentor: usize) -> Option<u16> {
    problem
        .pairs
        .iter()
        .find(|pair| (pair.executive as usize, pair.mentor as usize) == (executive, mentor))
        .map(|pair| pair.score)
}

/// Obliged without a mentor, all without one, pairs below each band, total score: smaller is better.
pub(crate) type Merit = (usize, usize, Vec<usize>, Reverse<i64>);

pub(crate) fn merit(problem: &Problem, assignment: &[Option<usize>]) -> Merit {
    let without: Vec<_> =
        (0..assignment.len()).filter(|&executive| assignment[executive].is_none()).collect();
    let scores: Vec<u16> = assignment
        .iter()
        .enumerate()
        .filter_map(|(executive, mentor)| {
            mentor.map(|mentor| score_of(problem, executive, mentor).expect("a pair is admissible"))
        })
        .collect();
    (
        without.iter().filter(|&&executive| problem.executives[executive].obliged).count(),
        without.len(),
        problem.bands.iter().map(|limit| scores.iter().filter(|score| *score < limit).count()).collect(),
        Reverse(scores.into_iter().map(i64::from).sum()),
    )
}

/// Calls back with every assignment that keeps to pairs, places and locks.
pub(crate) fn every_assignment(
    problem: &Problem,
    chosen: &mut Vec<Option<usize>>,
    visit: &mut impl FnMut(&[Option<usize>]),
) {
    let executive = chosen.len();
    if executive == problem.executives.len() {
        visit(chosen);
        return;
    }
    let lock = problem.locks.iter().find(|lock| lock.0 == executive);
    for option in std::iter::once(None).chain((0..problem.mentors.len()).map(Some)) {
        let admissible = option.is_none_or(|mentor| {
            let load = chosen.iter().filter(|&&other| other == Some(mentor)).count();
            score_of(problem, executive, mentor).is_some() && load < problem.mentors[mentor].capacity as usize
        });
        if admissible && lock.is_none_or(|lock| option == Some(lock.1)) {
            chosen.push(option);
            every_assignment(problem, chosen, visit);
            chosen.pop();
        }
    }
}

/// The same problem with its people and pairs in another order; person k of the old order is `to[k]` of the new one.
pub(crate) fn reordered(problem: &Problem, executives_to: &[usize], mentors_to: &[usize]) -> Problem {
    let mut other = problem.clone();
    for (old, &new) in executives_to.iter().enumerate() {
        other.executives[new] = problem.executives[old];
    }
    for (old, &new) in mentors_to.iter().enumerate() {
        other.mentors[new] = problem.mentors[old];
    }
    for pair in &mut other.pairs {
        *pair =
            self::pair(executives_to[pair.executive as usize], mentors_to[pair.mentor as usize], pair.score);
    }
    other.pairs.reverse();
    for lock in &mut other.locks {
        *lock = (executives_to[lock.0], mentors_to[lock.1]);
    }
    other.locks.reverse();
    other
}

pub(crate) fn problems_with_orders() -> impl Strategy<Value = (Problem, Vec<usize>, Vec<usize>)> {
    tiny().prop_flat_map(|problem| {
        let executives = (0..problem.executives.len()).collect::<Vec<_>>();
        let mentors = (0..problem.mentors.len()).collect::<Vec<_>>();
        (Just(problem), Just(executives).prop_shuffle(), Just(mentors).prop_shuffle())
    })
}

pub(crate) fn solved(problem: &Problem) -> Solution {
    solve(problem).expect("the generator makes valid problems")
}
