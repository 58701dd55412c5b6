//! Every goal on small random instances, against trying all assignments.

use std::cmp::Reverse;

use assignment::check::{Flaw, check};
use assignment::{Cost, Executive, Mentor, Pair, Problem, Solution, blocking_pairs, shortage, solve};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Up to six executives and five mentors; few different scores, so that there are ties on every level.
fn problems() -> impl Strategy<Value = Problem> {
    (1_usize..=6, 1_usize..=5).prop_flat_map(|(executives, mentors)| {
        let score = prop_oneof![select(vec![0, 1_999, 2_000, 2_999, 3_000, 9_000, 10_000]), 0..=10_000_u16];
        (
            vec(any::<bool>(), executives),
            vec(0..=2_u32, mentors),
            vec(prop::option::weighted(0.6, score), executives * mentors),
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

fn pair(executive: usize, mentor: usize, score: u16) -> Pair {
    let [executive, mentor] =
        [executive, mentor].map(|index| u32::try_from(index).expect("there are few people"));
    Pair { executive, mentor, score }
}

fn score_of(problem: &Problem, executive: usize, mentor: usize) -> Option<u16> {
    problem
        .pairs
        .iter()
        .find(|pair| (pair.executive as usize, pair.mentor as usize) == (executive, mentor))
        .map(|pair| pair.score)
}

/// Obliged without, all without, pairs below each band, total score: smaller is better.
type Merit = (usize, usize, Vec<usize>, Reverse<i64>);

fn merit(problem: &Problem, assignment: &[Option<usize>]) -> Merit {
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
fn every_assignment(
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
fn reordered(problem: &Problem, executives_to: &[usize], mentors_to: &[usize]) -> Problem {
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

fn problems_with_orders() -> impl Strategy<Value = (Problem, Vec<usize>, Vec<usize>)> {
    problems().prop_flat_map(|problem| {
        let executives = (0..problem.executives.len()).collect::<Vec<_>>();
        let mentors = (0..problem.mentors.len()).collect::<Vec<_>>();
        (Just(problem), Just(executives).prop_shuffle(), Just(mentors).prop_shuffle())
    })
}

fn solved(problem: &Problem) -> Solution {
    solve(problem).expect("the generator makes valid problems")
}

#[test]
fn nobody_at_all_is_a_valid_problem() {
    let solution = solved(&Problem::default());
    assert_eq!(solution.certificate.cost, Cost::ZERO);
    assert_eq!(check(&Problem::default(), &solution), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_assignment_is_better(problem in problems()) {
        let solution = solved(&problem);
        let mut best: Option<Merit> = None;
        every_assignment(&problem, &mut Vec::new(), &mut |assignment| {
            let merit = merit(&problem, assignment);
            if best.as_ref().is_none_or(|best| merit < *best) {
                best = Some(merit);
            }
        });
        prop_assert_eq!(best, Some(merit(&problem, &solution.assignment)));
    }

    #[test]
    fn the_certificate_states_the_merit_and_the_checker_accepts_it(problem in problems()) {
        let solution = solved(&problem);
        prop_assert_eq!(check(&problem, &solution), Ok(()));
        let cost = solution.certificate.cost;
        let (obliged, unmatched, bands, Reverse(score)) = merit(&problem, &solution.assignment);
        let counts = |counts: &[i64]| counts.iter().map(|&count| usize::try_from(count).unwrap()).collect::<Vec<_>>();
        prop_assert_eq!(counts(&[cost.obliged, cost.unmatched]), [obliged, unmatched]);
        prop_assert_eq!(counts(&cost.bands[..bands.len()]), bands);
        prop_assert_eq!(solution.score, score);
    }

    #[test]
    fn the_checker_rejects_every_other_assignment(problem in problems()) {
        let solution = solved(&problem);
        let mut accepted = 0;
        every_assignment(&problem, &mut Vec::new(), &mut |assignment| {
            let mut other = solution.clone();
            other.assignment = assignment.to_vec();
            accepted += usize::from(check(&problem, &other).is_ok());
        });
        prop_assert_eq!(accepted, 1);
    }

    #[test]
    fn the_answer_does_not_depend_on_the_order_of_the_input(
        (problem, executives_to, mentors_to) in problems_with_orders(),
    ) {
        let other_problem = reordered(&problem, &executives_to, &mentors_to);
        let (one, other) = (solved(&problem), solved(&other_problem));
        for (executive, mentor) in one.assignment.iter().enumerate() {
            prop_assert_eq!(mentor.map(|mentor| mentors_to[mentor]), other.assignment[executives_to[executive]]);
        }
        for (mentor, price) in one.certificate.prices.iter().enumerate() {
            prop_assert_eq!(*price, other.certificate.prices[mentors_to[mentor]]);
        }
        prop_assert_eq!(one.certificate.cost, other.certificate.cost);
        prop_assert_eq!(blocking_pairs(&problem, &one), blocking_pairs(&other_problem, &other));
    }

    // If there were smaller prices, those mentors that differ could all be lowered by the least amount there is.
    #[test]
    fn no_prices_can_be_lowered_together(problem in problems()) {
        let solution = solved(&problem);
        for subset in 1_u32..1 << problem.mentors.len() {
            let mut lower = solution.clone();
            for (mentor, price) in lower.certificate.prices.iter_mut().enumerate() {
                price.tie -= i64::from(subset >> mentor & 1);
            }
            let zero = lower.certificate.prices.iter().position(|price| *price < Cost::ZERO);
            let expected = zero.map_or(Flaw::Gap, |mentor| Flaw::NegativePrice { mentor });
            prop_assert_eq!(check(&problem, &lower), Err(expected));
        }
    }

    #[test]
    fn a_mentor_with_a_free_place_costs_nothing(problem in problems()) {
        let solution = solved(&problem);
        for (mentor, price) in solution.certificate.prices.iter().enumerate() {
            let load = solution.assignment.iter().filter(|&&other| other == Some(mentor)).count();
            prop_assert!(load == problem.mentors[mentor].capacity as usize || *price == Cost::ZERO);
        }
    }

    #[test]
    fn everybody_without_a_mentor_is_part_of_a_shortage(problem in problems()) {
        let solution = solved(&problem);
        for executive in 0..problem.executives.len() {
            let Some(shortage) = shortage(&problem, &solution, executive) else {
                prop_assert!(solution.assignment[executive].is_some());
                continue;
            };
            let is_in = |executive: usize| shortage.executives.contains(&executive);
            let is_locked = |executive: usize| problem.locks.iter().any(|lock| lock.0 == executive);
            prop_assert!(is_in(executive) && shortage.executives.len() > shortage.places);
            prop_assert!(!shortage.executives.iter().any(|&executive| is_locked(executive)));
            for pair in problem.pairs.iter().filter(|pair| is_in(pair.executive as usize)) {
                prop_assert!(shortage.mentors.contains(&(pair.mentor as usize)));
            }
            let offered: usize = shortage.mentors.iter().map(|&m| problem.mentors[m].capacity as usize).sum();
            let locked = problem.locks.iter().filter(|lock| shortage.mentors.contains(&lock.1)).count();
            prop_assert_eq!(shortage.places, offered - locked);
        }
    }
}
