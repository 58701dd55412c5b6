//! Why somebody has no mentor, and how stable the answer is.

use crate::problem::Problem;
use crate::solve::Solution;

/// Executives who can only be served by mentors with too few places.
///
/// # Source
///
/// The set that violates the condition of P. Hall, On representatives of subsets, J. London Math. Soc. 10 (1935) 26–30.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// Executives without a lock, all of whose admissible mentors are among `mentors`; ascending.
    pub executives: Vec<usize>,
    /// Every mentor admissible for any of them; ascending.
    pub mentors: Vec<usize>,
    /// The places of those mentors that are not bound by a lock; fewer than `executives`.
    pub places: usize,
}

/// Says why an executive has no mentor; `None` for one who has. For many executives, ask [`Shortages`].
///
/// The solution must be that of the problem. Takes time linear in the number of pairs.
#[must_use]
pub fn shortage(problem: &Problem, solution: &Solution, executive: usize) -> Option<Shortage> {
    Shortages::new(problem, solution).of(executive)
}

/// Why executives have no mentor, prepared for asking about many.
#[derive(Clone, Debug)]
pub struct Shortages<'a> {
    assignment: &'a [Option<usize>],
    /// Per executive, the admissible mentors.
    candidates: Vec<Vec<usize>>,
    /// Per mentor, the places that are not bound by a lock.
    places: Vec<usize>,
    /// Per mentor, who sits on those.
    seated: Vec<Vec<usize>>,
}

impl<'a> Shortages<'a> {
    /// Reads the problem and its solution.
    #[must_use]
    pub fn new(problem: &Problem, solution: &'a Solution) -> Self {
        let mut candidates = vec![Vec::new(); problem.executives.len()];
        for pair in &problem.pairs {
            candidates[pair.executive as usize].push(pair.mentor as usize);
        }
        let mut places: Vec<usize> = problem.mentors.iter().map(|mentor| mentor.capacity as usize).collect();
        let mut seated = vec![Vec::new(); problem.mentors.len()];
        for (other, mentor) in solution.assignment.iter().enumerate() {
            if let &Some(mentor) = mentor {
                seated[mentor].push(other);
            }
        }
        for &(locked, mentor) in &problem.locks {
            places[mentor] -= 1;
            seated[mentor].retain(|&other| other != locked);
        }
        Self { assignment: &solution.assignment, candidates, places, seated }
    }

    /// Says why an executive has no mentor; `None` for one who has.
    ///
    /// Since the solution covers as many as possible, every mentor whom a chain of moves could reach is full, and whoever
    /// sits there can only move to others of the same set. Others without a mentor who depend on the same set are counted in.
    #[must_use]
    pub fn of(&self, executive: usize) -> Option<Shortage> {
        if self.assignment.get(executive)?.is_some() {
            return None;
        }
        let mut executives = vec![executive];
        let mut among = vec![false; self.seated.len()];
        let mut next = 0;
        while let Some(&reached) = executives.get(next) {
            for &mentor in &self.candidates[reached] {
                if !std::mem::replace(&mut among[mentor], true) {
                    executives.extend_from_slice(&self.seated[mentor]);
                }
            }
            next += 1;
        }
        let depends = |&other: &usize| {
            let row = &self.candidates[other];
            other != executive
                && self.assignment[other].is_none()
                && !row.is_empty()
                && row.iter().all(|&mentor| among[mentor])
        };
        executives.extend((0..self.candidates.len()).filter(depends));
        executives.sort_unstable();
        let mentors: Vec<usize> = (0..among.len()).filter(|&mentor| among[mentor]).collect();
        let places = mentors.iter().map(|&mentor| self.places[mentor]).sum();
        Some(Shortage { executives, mentors, places })
    }
}

/// Counts the pairs who would both rather have each other, by their score.
///
/// The executive has no mentor or a worse one, and the mentor has a free place or one with somebody worse. Stability is
/// measured, not imposed: it would leave people without a mentor who can have one. The solution must be that of the
/// problem.
///
/// # Source
///
/// D. Gale, L. S. Shapley, College admissions and the stability of marriage, Amer. Math. Monthly 69 (1962) 9–15.
#[must_use]
pub fn blocking_pairs(problem: &Problem, solution: &Solution) -> usize {
    let mut own = vec![None; problem.executives.len()];
    let mut loads = vec![0; problem.mentors.len()];
    let mut worst = vec![u16::MAX; problem.mentors.len()];
    for pair in &problem.pairs {
        if solution.assignment[pair.executive as usize] == Some(pair.mentor as usize) {
            own[pair.executive as usize] = Some(pair.score);
            loads[pair.mentor as usize] += 1;
            worst[pair.mentor as usize] = worst[pair.mentor as usize].min(pair.score);
        }
    }
    let blocks = |executive: usize, mentor: usize, score: u16| {
        Some(score) > own[executive]
            && (loads[mentor] < problem.mentors[mentor].capacity || score > worst[mentor])
    };
    problem
        .pairs
        .iter()
        .filter(|pair| blocks(pair.executive as usize, pair.mentor as usize, pair.score))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Executive, Mentor, Pair};
    use crate::solve::solve;

    fn problem(executives: u64, capacities: &[u32], pairs: &[(u32, u32, u16)]) -> Problem {
        Problem {
            executives: (0..executives).map(|key| Executive { key, obliged: false }).collect(),
            mentors: (0..).zip(capacities).map(|(key, &capacity)| Mentor { key, capacity }).collect(),
            pairs: pairs
                .iter()
                .map(|&(executive, mentor, score)| Pair { executive, mentor, score })
                .collect(),
            ..Problem::default()
        }
    }

    #[test]
    fn a_shortage_names_everybody_who_depends_on_the_same_places() {
        // Executives 0 to 3 know only mentors 0 and 1, with two places; 4 sits elsewhere and is no part of it.
        let problem = problem(
            5,
            &[1, 1, 1],
            &[(0, 0, 9_000), (1, 0, 500), (1, 1, 9_000), (2, 1, 400), (3, 1, 300), (4, 2, 100), (4, 0, 1)],
        );
        let solution = solve(&problem).unwrap();
        assert_eq!(solution.assignment, [Some(0), Some(1), None, None, Some(2)]);
        let expected = Shortage { executives: vec![0, 1, 2, 3], mentors: vec![0, 1], places: 2 };
        assert_eq!(shortage(&problem, &solution, 2), Some(expected));
        assert_eq!(shortage(&problem, &solution, 4), None);
        assert_eq!(shortage(&problem, &solution, 5), None);
    }

    #[test]
    fn an_executive_without_any_pair_is_a_shortage_of_its_own() {
        let problem = problem(2, &[1], &[]);
        let solution = solve(&problem).unwrap();
        let expected = Shortage { executives: vec![1], mentors: vec![], places: 0 };
        assert_eq!(shortage(&problem, &solution, 1), Some(expected));
    }

    #[test]
    fn covering_more_people_may_leave_a_blocking_pair() {
        let problem = problem(2, &[1, 1], &[(0, 0, 9_000), (0, 1, 100), (1, 0, 200)]);
        let solution = solve(&problem).unwrap();
        assert_eq!(solution.assignment, [Some(1), Some(0)]);
        assert_eq!(blocking_pairs(&problem, &solution), 1);
    }

    #[test]
    fn a_pair_blocks_only_if_both_gain() {
        let problem =
            problem(3, &[1, 2, 0], &[(0, 0, 700), (1, 0, 700), (1, 1, 700), (2, 1, 700), (2, 2, 900)]);
        let solution = Solution { assignment: vec![Some(0), None, None], ..solve(&problem).unwrap() };
        // Mentor 0 gains nothing by the change, mentor 1 has free places for two, mentor 2 has none to give.
        assert_eq!(blocking_pairs(&problem, &solution), 2);
        let solution = Solution { assignment: vec![None, Some(0), Some(1)], ..solution };
        // Executive 1 would gain nothing with mentor 1, nor would mentor 0 with executive 0.
        assert_eq!(blocking_pairs(&problem, &solution), 0);
    }
}
