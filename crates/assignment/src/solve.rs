//! The answer, and how it comes about.

use crate::cost::Cost;
use crate::engine::Instance;
use crate::problem::{Invalid, Problem};
use crate::progress::{Cancelled, Progress};

/// The best assignment, and the proof that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// Per executive, the mentor, if there is one.
    pub assignment: Vec<Option<usize>>,
    /// The sum of the pairs' scores.
    pub score: i64,
    /// What proves that nothing better exists; see the crate's first page.
    pub certificate: Certificate,
}

/// What anyone needs to verify that an assignment is optimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Per mentor, the smallest price ≥ 0 that proves the optimum.
    pub prices: Vec<Cost>,
    /// What the assignment costs: the count of every goal, from the first to the last.
    pub cost: Cost,
}

/// Finds the best assignment in the order of goals given on the crate's first page.
///
/// # Errors
///
/// [`Invalid`] if the problem contradicts itself; what it is and where.
pub fn solve(problem: &Problem) -> Result<Solution, Invalid> {
    let progress = Progress::default();
    let solution = Instance::new(problem)?.solve(&progress).and_then(|mut engine| engine.solution(&progress));
    Ok(solution.unwrap_or_else(|Cancelled| unreachable!("nobody else knows of this progress")))
}
