//! What if these two had to be a tandem, and what if those two could not: as a solve with that change answers.

use assignment::{Change, Cost, Instance, Problem, Progress, Refused};
use proptest::prelude::*;

use crate::instances::{small, solved};

fn cost(problem: &Problem) -> Cost {
    solved(problem).certificate.cost
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn forcing_costs_what_a_lock_does(problem in small()) {
        let progress = Progress::default();
        let mut engine = Instance::new(&problem).unwrap().solve(&progress).unwrap();
        let mut questions = engine.what_if(&progress).unwrap();
        let best = cost(&problem);
        for pair in &problem.pairs {
            let lock = (pair.executive as usize, pair.mentor as usize);
            let mut locked = problem.clone();
            locked.locks.retain(|other| *other != lock);
            locked.locks.push(lock);
            let answer = questions.forced(lock.0, lock.1);
            prop_assert_eq!(answer.is_ok(), locked.validate().is_ok());
            if let Ok(loss) = answer {
                prop_assert_eq!(loss, cost(&locked) - best);
                prop_assert!(questions.forced_at_least(lock.0, lock.1).unwrap() <= loss);
            }
        }
    }

    #[test]
    fn forbidding_costs_what_a_missing_pair_does(problem in small()) {
        let progress = Progress::default();
        let mut engine = Instance::new(&problem).unwrap().solve(&progress).unwrap();
        let solution = engine.solution(&progress).unwrap();
        let mut questions = engine.what_if(&progress).unwrap();
        for (executive, mentor) in solution.assignment.iter().enumerate() {
            let answer = questions.forbidden(executive);
            if problem.locks.iter().any(|lock| lock.0 == executive) {
                prop_assert_eq!(answer, Err(Refused::Locked { executive }));
                continue;
            }
            let Some(mentor) = *mentor else {
                prop_assert_eq!(answer, Err(Refused::Seatless { executive }));
                continue;
            };
            let mut without = problem.clone();
            without.pairs.retain(|pair| (pair.executive as usize, pair.mentor as usize) != (executive, mentor));
            let (other, answer) = (solved(&without), answer.unwrap());
            prop_assert_eq!(answer.loss, other.certificate.cost - solution.certificate.cost);
            prop_assert_eq!(answer.mentor, other.assignment[executive]);
        }
    }

    #[test]
    fn questions_after_a_repair_are_about_the_repaired_market(problem in small(), capacity in 0..3_u32) {
        let progress = Progress::default();
        let mut engine = Instance::new(&problem).unwrap().solve(&progress).unwrap();
        let mut changed = problem.clone();
        changed.mentors[0].capacity = capacity;
        prop_assume!(changed.validate().is_ok());
        engine.apply(Change::Capacity { mentor: 0, capacity }).unwrap();
        let best = cost(&changed);
        let mut questions = engine.what_if(&progress).unwrap();
        for pair in &problem.pairs {
            let lock = (pair.executive as usize, pair.mentor as usize);
            if let Ok(loss) = questions.forced(lock.0, lock.1) {
                let mut locked = changed.clone();
                locked.locks.retain(|other| *other != lock);
                locked.locks.push(lock);
                prop_assert_eq!(loss, cost(&locked) - best);
            }
        }
    }
}
