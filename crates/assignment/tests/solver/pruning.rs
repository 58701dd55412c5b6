//! The best few candidates, against all of them.

use assignment::check::{Flaw, check_pruned};
use assignment::{Problem, Progress, Shortlist, Unsolved, prune};
use proptest::prelude::*;

use crate::instances::{small, solved};

/// The problem with the pairs of its locks only.
fn bare(problem: &Problem) -> Problem {
    let mut bare = problem.clone();
    bare.pairs.retain(|pair| problem.locks.contains(&(pair.executive as usize, pair.mentor as usize)));
    bare
}

fn best(problem: &Problem, executive: usize, count: usize) -> Shortlist {
    let own = problem.pairs.iter().filter(|pair| pair.executive as usize == executive);
    let mut candidates: Vec<_> = own.map(|pair| (pair.mentor, pair.score)).collect();
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.1));
    let omitted = candidates.get(count).map(|candidate| candidate.1);
    candidates.truncate(count);
    Shortlist { candidates, omitted }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_few_candidates_prove_the_optimum_of_all(problem in small(), width in 1..4_usize) {
        let source = |executive, count| best(&problem, executive, count);
        let pruned = prune(bare(&problem), width, source, &Progress::default()).unwrap();
        let solution = solved(&problem);
        prop_assert_eq!(&pruned.solution.assignment, &solution.assignment);
        prop_assert_eq!(pruned.solution.certificate.cost, solution.certificate.cost);
        prop_assert_eq!(check_pruned(&pruned.problem, &pruned.omitted, &pruned.solution), Ok(()));
    }

    #[test]
    fn a_better_candidate_left_out_is_found_by_the_checker(problem in small()) {
        let source = |executive, count| best(&problem, executive, count);
        let mut pruned = prune(bare(&problem), 2, source, &Progress::default()).unwrap();
        for (executive, mentor) in pruned.solution.assignment.iter().enumerate() {
            let is_locked = problem.locks.iter().any(|lock| lock.0 == executive);
            pruned.omitted[executive] = Some(10_000);
            let checked = check_pruned(&pruned.problem, &pruned.omitted, &pruned.solution);
            if is_locked {
                pruned.omitted[executive] = None;
            } else if mentor.is_none() {
                prop_assert_eq!(checked, Err(Flaw::Omitted { executive }));
                break;
            } else {
                let is_known = checked == Ok(()) || checked == Err(Flaw::Omitted { executive });
                prop_assert!(is_known);
                pruned.omitted[executive] = None;
            }
        }
    }
}

#[test]
fn a_source_that_keeps_candidates_to_itself_is_an_error() {
    let problem = Problem {
        executives: vec![assignment::Executive { key: 0, obliged: true }],
        mentors: vec![assignment::Mentor { key: 0, capacity: 0 }],
        ..Problem::default()
    };
    let source = |_, _| Shortlist { candidates: vec![(0, 1)], omitted: Some(1) };
    let answer = prune(problem, 1, source, &Progress::default());
    assert_eq!(answer, Err(Unsolved::Shortlist { executive: 0 }));
}
