//! Every goal, against trying all assignments and against linear programming.

use std::cmp::Reverse;

use assignment::check::{Flaw, check};
use assignment::{Cost, Problem, blocking_pairs, shortage};
use microlp::{ComparisonOp, LinearExpr, OptimizationDirection};
use proptest::prelude::*;

use crate::instances::{
    Merit, every_assignment, market, merit, problems_with_orders, programs, reordered, solved, tiny,
};

/// The best merit by linear programming, goal after goal: each is minimised with those before it held at their optimum.
///
/// Without a mentor is who takes no pair; the constraints are totally unimodular, and so is every optimal face integral.
fn merit_by_programming(problem: &Problem) -> Merit {
    let goals = 2 + problem.bands.len() + 1;
    let mut reached: Vec<f64> = Vec::new();
    while reached.len() < goals {
        let coefficient = |goal: usize, pair: usize| {
            let pair = problem.pairs[pair];
            let is_obliged = problem.executives[pair.executive as usize].obliged;
            match goal {
                0 => -f64::from(u8::from(is_obliged)),
                1 => -1.0,
                goal if goal == goals - 1 => -f64::from(pair.score),
                goal => f64::from(u8::from(pair.score < problem.bands[goal - 2])),
            }
        };
        let mut program = microlp::Problem::new(OptimizationDirection::Minimize);
        let taken: Vec<_> = (0..problem.pairs.len())
            .map(|pair| {
                let people = (problem.pairs[pair].executive as usize, problem.pairs[pair].mentor as usize);
                let least = f64::from(u8::from(problem.locks.contains(&people)));
                program.add_var(coefficient(reached.len(), pair), (least, 1.0))
            })
            .collect();
        let sum = |factor: &dyn Fn(usize) -> f64| {
            let mut sum = LinearExpr::empty();
            for (pair, &taken) in taken.iter().enumerate().filter(|&(pair, _)| factor(pair) != 0.0) {
                sum.add(taken, factor(pair));
            }
            sum
        };
        for executive in 0..problem.executives.len() {
            let is_own =
                |pair: usize| f64::from(u8::from(problem.pairs[pair].executive as usize == executive));
            program.add_constraint(sum(&is_own), ComparisonOp::Le, 1.0);
        }
        for (mentor, places) in problem.mentors.iter().enumerate() {
            let is_own = |pair: usize| f64::from(u8::from(problem.pairs[pair].mentor as usize == mentor));
            program.add_constraint(sum(&is_own), ComparisonOp::Le, f64::from(places.capacity));
        }
        for (goal, &value) in reached.iter().enumerate() {
            program.add_constraint(sum(&|pair| coefficient(goal, pair)), ComparisonOp::Eq, value);
        }
        let solution = program.solve().expect("the locks alone are feasible");
        let solution = solution.into_solution().expect("there is no limit of time");
        reached.push(solution.objective().round());
    }
    let people = problem.executives.iter();
    let obliged = people.clone().map(|executive| i64::from(executive.obliged)).sum::<i64>();
    let count = |goal: f64| format!("{goal}").parse::<i64>().expect("it was rounded");
    let number = |count: i64| usize::try_from(count).expect("it is a number of people");
    (
        number(obliged + count(reached[0])),
        number(people.map(|_| 1).sum::<i64>() + count(reached[1])),
        reached[2..goals - 1].iter().map(|&goal| number(count(goal))).collect(),
        Reverse(-count(reached[goals - 1])),
    )
}

#[test]
fn nobody_at_all_is_a_valid_problem() {
    let solution = solved(&Problem::default());
    assert_eq!(solution.certificate.cost, Cost::ZERO);
    assert_eq!(check(&Problem::default(), &solution), Ok(()));
}

#[test]
fn large_markets_are_proved_and_the_order_of_their_pairs_does_not_matter() {
    // As many places as executives, too few, many too many, and places by the dozen.
    for (mentors, capacity) in [(1_500, 1), (700, 2), (4_000, 1), (120, 12)] {
        let mut problem = market(1_500, mentors, capacity);
        let solution = solved(&problem);
        assert_eq!(check(&problem, &solution), Ok(()));
        problem.pairs.sort_by_key(|pair| (pair.score, pair.mentor));
        assert_eq!(solved(&problem), solution);
        problem.bands.clear();
        let only_the_score = solved(&problem);
        assert_eq!(check(&problem, &only_the_score), Ok(()));
        assert!(only_the_score.score >= solution.score);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_assignment_is_better(problem in tiny()) {
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
    fn no_linear_program_is_better(problem in programs()) {
        let solution = solved(&problem);
        prop_assert_eq!(merit_by_programming(&problem), merit(&problem, &solution.assignment));
        prop_assert_eq!(check(&problem, &solution), Ok(()));
    }

    #[test]
    fn the_certificate_states_the_merit_and_the_checker_accepts_it(problem in tiny()) {
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
    fn the_checker_rejects_every_other_assignment(problem in tiny()) {
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
    fn no_prices_can_be_lowered_together(problem in tiny()) {
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
    fn a_mentor_with_a_free_place_costs_nothing(problem in tiny()) {
        let solution = solved(&problem);
        for (mentor, price) in solution.certificate.prices.iter().enumerate() {
            let load = solution.assignment.iter().filter(|&&other| other == Some(mentor)).count();
            prop_assert!(load == problem.mentors[mentor].capacity as usize || *price == Cost::ZERO);
        }
    }

    #[test]
    fn everybody_without_a_mentor_is_part_of_a_shortage(problem in tiny()) {
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
