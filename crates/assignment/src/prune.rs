//! All pairs, without reading all of them: the best few per executive, and a proof that the others do not matter.

use crate::engine::Instance;
use crate::problem::{Invalid, Pair, Problem, SCORE_MAX};
use crate::progress::{Cancelled, Progress};
use crate::solve::Solution;

/// Some admissible mentors of one executive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shortlist {
    /// Mentors with the score of the pair, in any order.
    pub candidates: Vec<(u32, u16)>,
    /// The best score among the admissible mentors left out; `None` if there is none left out.
    pub omitted: Option<u16>,
}

/// The best assignment over all admissible pairs, found without all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// The problem with the pairs that were fetched.
    pub problem: Problem,
    /// Per executive, the best score among the pairs that were not.
    pub omitted: Vec<Option<u16>>,
    /// The best assignment; [`check::check_pruned`](crate::check::check_pruned) verifies that for all pairs.
    pub solution: Solution,
    /// How often it was solved.
    pub rounds: usize,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsolved {
    /// The problem contradicts itself.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The source leaves candidates out although it was asked for more than it answers with.
    #[error("the shortlist of executive {executive} is shorter than asked for, and not complete")]
    Shortlist {
        /// Index of the executive.
        executive: usize,
    },
    /// That was asked for.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Solves a problem over all admissible pairs with the best `width` candidates of each executive, and more only where the
/// proof needs them.
///
/// `source` is asked for the best so many candidates of an executive, and answers with at least those; it is asked again
/// for twice as many if a candidate left out could be better than what the executive has, which is impossible when even
/// for free it would be no better. The problem lists no pairs but those of executives who are locked, whom nobody asks
/// about. Each round begins with the answer of the one before.
///
/// # Errors
///
/// [`Unsolved`] if the problem with what was fetched contradicts itself, or the progress was cancelled.
pub fn prune(
    mut problem: Problem,
    width: usize,
    mut source: impl FnMut(usize, usize) -> Shortlist,
    progress: &Progress,
) -> Result<Pruned, Unsolved> {
    problem.validate()?;
    let mut is_locked = vec![false; problem.executives.len()];
    for lock in &problem.locks {
        is_locked[lock.0] = true;
    }
    let given = std::mem::take(&mut problem.pairs);
    let mut widths = vec![width.max(1); is_locked.len()];
    let mut lists = vec![Shortlist::default(); is_locked.len()];
    let mut asking: Vec<usize> = (0..is_locked.len()).filter(|&executive| !is_locked[executive]).collect();
    let mut solution: Option<Solution> = None;
    for round in 1.. {
        for &executive in &asking {
            progress.check()?;
            let list = source(executive, widths[executive]);
            if list.omitted.is_some() && list.candidates.len() < widths[executive] {
                return Err(Unsolved::Shortlist { executive });
            }
            lists[executive] = list;
        }
        problem.pairs.clone_from(&given);
        for (executive, list) in (0..).zip(&lists) {
            let pairs = list.candidates.iter();
            problem.pairs.extend(pairs.map(|&(mentor, score)| Pair { executive, mentor, score }));
        }
        let instance = Instance::new(&problem)?;
        let mut engine = match &solution {
            None => instance.solve(progress)?,
            Some(solution) => instance.resume(solution, progress)?,
        };
        let found = engine.solution(progress)?;
        let is_open = |executive: usize| {
            lists[executive]
                .omitted
                .is_some_and(|score| !engine.is_out_of_reach(executive, SCORE_MAX.saturating_sub(score)))
        };
        asking = (0..lists.len()).filter(|&executive| is_open(executive)).collect();
        if asking.is_empty() {
            let omitted = lists.into_iter().map(|list| list.omitted).collect();
            return Ok(Pruned { problem, omitted, solution: found, rounds: round });
        }
        for &executive in &asking {
            widths[executive] =
                widths[executive].saturating_mul(2).max(lists[executive].candidates.len() + 1);
        }
        solution = Some(found);
    }
    unreachable!("there is no last round")
}
