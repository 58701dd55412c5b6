//! Repairs that move few, against all chains of moves.

use assignment::{Cost, Instance, Problem, Progress};
use proptest::prelude::*;

use crate::instances::{solved, tiny};

/// The cheapest chain of each length, by trying all of them: entry r is the best cost with exactly r other moves.
struct Chains<'a> {
    problem: &'a Problem,
    costs: Vec<Vec<Option<Cost>>>,
    best: Vec<Option<Cost>>,
}

impl Chains<'_> {
    /// Lets an executive go to every mentor, and from there, in turn, everybody else who did not move yet.
    fn visit(
        &mut self,
        seats: &mut Vec<Option<usize>>,
        moved: &mut Vec<usize>,
        executive: usize,
        cost: Cost,
    ) {
        if moved.len() == self.best.len() {
            return;
        }
        let from = seats[executive];
        moved.push(executive);
        for mentor in 0..self.problem.mentors.len() {
            let Some(pair) = self.costs[executive][mentor].filter(|_| from != Some(mentor)) else { continue };
            let cost = cost + pair;
            seats[executive] = Some(mentor);
            let load = seats.iter().filter(|&&seat| seat == Some(mentor)).count();
            if load <= self.problem.mentors[mentor].capacity as usize {
                let best = &mut self.best[moved.len() - 1];
                *best = Some(best.map_or(cost, |best| best.min(cost)));
            }
            for next in 0..seats.len() {
                let is_locked = self.problem.locks.iter().any(|lock| lock.0 == next);
                if seats[next] == Some(mentor) && !moved.contains(&next) && !is_locked {
                    let given_up = self.costs[next][mentor].expect("who sits has a pair");
                    self.visit(seats, moved, next, cost - given_up);
                }
            }
        }
        seats[executive] = from;
        moved.pop();
    }
}

/// What each pair costs, found by locking it in a problem of its own.
fn costs(problem: &Problem) -> Vec<Vec<Option<Cost>>> {
    let mut costs = vec![vec![None; problem.mentors.len()]; problem.executives.len()];
    for &pair in &problem.pairs {
        let mut alone = Problem { pairs: vec![pair], locks: Vec::new(), ..problem.clone() };
        alone.mentors[pair.mentor as usize].capacity = 1;
        let mut cost = solved(&alone).certificate.cost;
        // The others cost as many points of the first two goals as there are others.
        (cost.obliged, cost.unmatched) = (0, 0);
        costs[pair.executive as usize][pair.mentor as usize] = Some(cost);
    }
    costs
}

fn assert_is_the_frontier(problem: &Problem, assignment: &[Option<usize>], executive: usize, most: usize) {
    let mut chains = Chains { problem, costs: costs(problem), best: vec![None; most + 1] };
    chains.visit(&mut assignment.to_vec(), &mut Vec::new(), executive, Cost::ZERO);
    let mut expected: Vec<(usize, Cost)> = Vec::new();
    for (moved, cost) in chains.best.into_iter().enumerate() {
        if let Some(cost) = cost.filter(|cost| expected.last().is_none_or(|(_, last)| cost < last)) {
            expected.push((moved, cost));
        }
    }
    let instance = Instance::new(problem).expect("the generator makes valid problems");
    let repairs = instance.frontier(assignment, executive, most).expect("the executive has no mentor");
    let found: Vec<_> = repairs.iter().map(|repair| (repair.moved(), repair.cost)).collect();
    assert_eq!(found, expected);
    for repair in repairs {
        let mut after = assignment.to_vec();
        for &(executive, mentor) in &repair.moves {
            after[executive] = Some(mentor);
        }
        assert_eq!(repair.moves[0].0, executive);
        for (mentor, places) in problem.mentors.iter().enumerate() {
            assert!(after.iter().filter(|&&seat| seat == Some(mentor)).count() <= places.capacity as usize);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_a_dissolved_pair_no_chain_is_cheaper(problem in tiny(), most in 0..4_usize) {
        let solution = solved(&problem);
        for (executive, mentor) in solution.assignment.iter().enumerate() {
            if problem.locks.iter().any(|lock| lock.0 == executive) {
                continue;
            }
            let mut never_again = problem.clone();
            let pair = (executive, *mentor);
            never_again.pairs.retain(|other| (other.executive as usize, Some(other.mentor as usize)) != pair);
            let mut assignment = solution.assignment.clone();
            assignment[executive] = None;
            assert_is_the_frontier(&never_again, &assignment, executive, most);
        }
    }

    #[test]
    fn from_any_assignment_no_chain_with_up_to_two_others_is_cheaper(problem in tiny(), seed in any::<u64>()) {
        // The best answer to other scores is just some answer to these.
        let mut other = problem.clone();
        for (index, pair) in (0_u64..).zip(&mut other.pairs) {
            pair.score = u16::try_from(seed.rotate_left(7).wrapping_mul(2 * index + 1) % 10_001).unwrap();
        }
        let assignment = solved(&other).assignment;
        for executive in 0..assignment.len() {
            if problem.locks.iter().all(|lock| lock.0 != executive) {
                let mut left = assignment.clone();
                left[executive] = None;
                assert_is_the_frontier(&problem, &left, executive, 2);
            }
        }
    }
}

#[test]
fn who_sits_needs_no_repair() {
    let problem = Problem::default();
    let instance = Instance::new(&problem).unwrap();
    assert!(instance.frontier(&[], 0, 1).is_err());
    assert!(instance.clone().solve(&Progress::default()).is_ok());
    assert!(instance.frontier(&[Some(0)], 0, 1).is_err());
}
