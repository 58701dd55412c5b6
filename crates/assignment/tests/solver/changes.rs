//! A market that is kept is at any time what a solve from nothing would make of it.

use std::collections::BTreeMap;

use assignment::check::check;
use assignment::{Certificate, Change, Cost, Instance, Pair, Problem, Progress, Refused, Solution};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::instances::{pair, small, solved};

/// The problem as it is after some changes; who is gone has no pairs.
#[derive(Clone)]
struct Model {
    problem: Problem,
    scores: BTreeMap<(usize, usize), Option<u16>>,
    gone: Vec<bool>,
}

impl Model {
    fn new(problem: &Problem) -> Self {
        let people = |pair: &Pair| (pair.executive as usize, pair.mentor as usize);
        Self {
            scores: problem.pairs.iter().map(|pair| (people(pair), Some(pair.score))).collect(),
            gone: vec![false; problem.executives.len()],
            problem: problem.clone(),
        }
    }

    fn apply(&mut self, change: Change) {
        let locks = &mut self.problem.locks;
        match change {
            Change::Score { executive, mentor, score } => {
                self.scores.insert((executive, mentor), score);
            }
            Change::Capacity { mentor, capacity } => self.problem.mentors[mentor].capacity = capacity,
            Change::Lock { executive, mentor } => {
                locks.retain(|lock| lock.0 != executive);
                locks.extend(mentor.map(|mentor| (executive, mentor)));
            }
            Change::Part { executive, obliged } => {
                self.gone[executive] = obliged.is_none();
                self.problem.executives[executive].obliged = obliged.unwrap_or_default();
                locks.retain(|lock| lock.0 != executive || obliged.is_some());
            }
        }
    }

    fn problem(&self) -> Problem {
        let pairs = self.scores.iter().filter(|((executive, _), _)| !self.gone[*executive]);
        Problem {
            pairs: pairs
                .filter_map(|(&(executive, mentor), &score)| Some(pair(executive, mentor, score?)))
                .collect(),
            ..self.problem.clone()
        }
    }

    /// The solution from nothing; that somebody is gone costs nothing.
    fn solution(&self) -> Solution {
        let mut solution = solved(&self.problem());
        solution.certificate.cost.unmatched -= self.gone.iter().map(|&gone| i64::from(gone)).sum::<i64>();
        solution
    }
}

type Raw = (u8, Index, Index, Option<u16>);

fn changes() -> impl Strategy<Value = Vec<Raw>> {
    let score = prop::option::of(prop_oneof![Just(2_000), Just(9_000), 0..=10_000_u16]);
    vec((0..5_u8, any::<Index>(), any::<Index>(), score), 1..12)
}

fn change(problem: &Problem, (kind, one, other, number): Raw) -> Option<Change> {
    let executive = one.index(problem.executives.len());
    let mentor = other.index(problem.mentors.len());
    let pair = || (!problem.pairs.is_empty()).then(|| problem.pairs[one.index(problem.pairs.len())]);
    let is_even = number.is_some_and(|number| number % 2 == 0);
    Some(match kind {
        0 => {
            let Pair { executive, mentor, .. } = pair()?;
            Change::Score { executive: executive as usize, mentor: mentor as usize, score: number }
        }
        1 => Change::Capacity { mentor, capacity: u32::from(number.unwrap_or_default() % 4) },
        2 => {
            let Pair { executive, mentor, .. } = pair()?;
            Change::Lock { executive: executive as usize, mentor: Some(mentor as usize) }
        }
        3 => Change::Lock { executive, mentor: None },
        _ => Change::Part { executive, obliged: number.map(|_| is_even) },
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_repair_is_what_a_solve_from_nothing_finds(problem in small(), raw in changes()) {
        let progress = Progress::default();
        let mut engine = Instance::new(&problem).unwrap().solve(&progress).unwrap();
        let mut model = Model::new(&problem);
        for change in raw.into_iter().filter_map(|raw| change(&problem, raw)) {
            let mut changed = model.clone();
            changed.apply(change);
            let is_valid = changed.problem().validate().is_ok();
            prop_assert_eq!(engine.apply(change).is_ok(), is_valid, "{:?}", change);
            if is_valid {
                model = changed;
            }
            prop_assert_eq!(engine.clone().solution(&progress), Ok(model.solution()), "{:?}", change);
        }
        // Nor do the smallest prices of every step matter.
        prop_assert_eq!(engine.solution(&progress), Ok(model.solution()));
    }

    #[test]
    fn any_prices_and_any_seats_are_a_beginning(
        problem in small(),
        prices in vec((0..3_i64, -10_000..30_000_i64, -1_i64 << 40..1 << 40), 15),
        seats in vec(prop::option::of(0..20_usize), 0..40),
    ) {
        let price = |&(unmatched, loss, tie): &(i64, i64, i64)| Cost { unmatched, loss, tie, ..Cost::ZERO };
        let certificate = Certificate { prices: prices.iter().map(price).collect(), cost: Cost::ZERO };
        let seats = seats.into_iter().map(|seat| seat.filter(|&seat| seat < problem.mentors.len())).collect();
        let earlier = Solution { assignment: seats, score: 0, certificate };
        let progress = Progress::default();
        let resumed = Instance::new(&problem).unwrap().resume(&earlier, &progress).unwrap().solution(&progress);
        prop_assert_eq!(resumed, Ok(solved(&problem)));
    }

    #[test]
    fn a_solution_resumed_is_itself(problem in small()) {
        let (solution, progress) = (solved(&problem), Progress::default());
        let mut engine = Instance::new(&problem).unwrap().resume(&solution, &progress).unwrap();
        let unmatched = solution.assignment.iter().filter(|mentor| mentor.is_none()).count();
        prop_assert_eq!(engine.effort().paths, u64::try_from(unmatched).unwrap());
        prop_assert_eq!(engine.solution(&progress), Ok(solution));
    }
}

#[test]
fn prices_beyond_all_bounds_are_no_beginning_and_do_no_harm() {
    let problem = Problem {
        pairs: vec![pair(0, 0, 9_000)],
        executives: vec![assignment::Executive { key: 1, obliged: true }],
        mentors: vec![assignment::Mentor { key: 1, capacity: 1 }],
        ..Problem::default()
    };
    let far = Cost::from([i64::MAX; 8]);
    let certificate = Certificate { prices: vec![far], cost: far };
    let earlier = Solution { assignment: vec![Some(usize::MAX)], score: i64::MAX, certificate };
    let progress = Progress::default();
    let mut engine = Instance::new(&problem).unwrap().resume(&earlier, &progress).unwrap();
    let solution = engine.solution(&progress).unwrap();
    assert_eq!(solution.assignment, [Some(0)]);
    assert_eq!(check(&problem, &solution), Ok(()));
}

#[test]
fn a_change_that_makes_no_sense_is_refused_and_changes_nothing() {
    let problem = Problem {
        pairs: vec![pair(0, 0, 9_000)],
        executives: (0..2).map(|key| assignment::Executive { key, obliged: true }).collect(),
        mentors: (0..2).map(|key| assignment::Mentor { key, capacity: 1 }).collect(),
        ..Problem::default()
    };
    let progress = Progress::default();
    let mut engine = Instance::new(&problem).unwrap().solve(&progress).unwrap();
    let score = |executive, mentor, score| Change::Score { executive, mentor, score };
    let lock = |executive, mentor| Change::Lock { executive, mentor };
    for (change, refused) in [
        (score(0, 0, Some(10_001)), Refused::Score(10_001)),
        (score(0, 1, Some(1)), Refused::NoPair { executive: 0, mentor: 1 }),
        (score(0, usize::MAX, None), Refused::NoPair { executive: 0, mentor: usize::MAX }),
        (score(2, 0, None), Refused::Nobody),
        (lock(2, None), Refused::Nobody),
        (lock(1, Some(0)), Refused::NoPair { executive: 1, mentor: 0 }),
        (Change::Capacity { mentor: 2, capacity: 1 }, Refused::Nobody),
        (Change::Part { executive: 2, obliged: None }, Refused::Nobody),
    ] {
        assert_eq!(engine.apply(change), Err(refused));
    }
    assert_eq!(engine.solution(&progress), Ok(solved(&problem)));
}

#[test]
fn what_is_cancelled_ends() {
    let problem = Problem { executives: Vec::new(), ..Problem::default() };
    let progress = Progress::default();
    let mut engine = Instance::new(&problem).unwrap().solve(&progress).unwrap();
    progress.cancel();
    assert!(engine.solution(&progress).is_ok(), "there is nothing to do");
    let problem = Problem {
        pairs: vec![pair(0, 0, 1)],
        executives: vec![assignment::Executive { key: 0, obliged: true }],
        mentors: vec![assignment::Mentor { key: 0, capacity: 1 }],
        ..problem
    };
    assert!(Instance::new(&problem).unwrap().solve(&progress).is_err());
}
