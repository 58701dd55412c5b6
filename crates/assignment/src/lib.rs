//! Who mentors whom: the provably best assignment, with the prices that prove it.
//!
//! # The problem
//!
//! Every executive *i* takes at most one place; mentor *j* offers *b\_j* places. Only the listed [`Pair`]s are
//! admissible, each with a score of 0 to 10,000; a forbidden pair is absent, never a large cost. A lock is a pair that
//! must be part of the answer. In words of the field: a maximum-weight b-matching in a sparse bipartite graph under a
//! lexicographic objective. The goals, each kept while the next is improved:
//!
//! 1. as few *obliged* executives without a mentor as possible;
//! 2. as few executives without a mentor as possible (goal 1 never stands in the way: the sets of executives that can
//!    be covered together are the independent sets of a transversal matroid, Edmonds & Fulkerson 1965);
//! 3. *fairness*: as few pairs as possible below the lowest band of scores, then below the next (Huang et al. 2016);
//! 4. the largest total score;
//! 5. *one* answer among equals: every pair carries a fixed pseudo-random number of 40 bits, made from the stable keys of
//!    both sides, and the smallest sum wins. By the isolation lemma (Mulmuley et al. 1987) the chance that two answers
//!    share the smallest sum is below pairs / 2⁴⁰. So the answer depends neither on the order of the input nor on the
//!    method.
//!
//! # Costs are vectors
//!
//! A [`Cost`] holds one integer per goal and is compared lexicographically. Vectors so ordered form an ordered Abelian
//! group, and that is all that shortest paths and duality need: nothing below knows that there are several goals, and
//! no weight has to be "large enough". The price of a mentor is such a vector too.
//!
//! # The certificate
//!
//! Pair (i, j) costs *c\_ij*; to leave i without a mentor costs *P\_i*. The answer comes with one price *p\_j* ≥ 0 per
//! mentor. Let *u\_i* = min(P\_i, min\_j c\_ij + p\_j), and for a locked executive the cost and price of the locked pair. Any
//! assignment whatsoever costs at least Σu − Σ b\_j p\_j, so if that bound equals the cost of the answer, the answer is
//! optimal in all goals at once. [`check::check`] recomputes exactly this, and shares no code with the solver.
//!
//! Of all optimal price vectors, which form a lattice (Shapley & Shubik 1971), the smallest is reported: it is a
//! property of the problem alone, so a price shown to somebody does not depend on how it was found.
//!
//! # The method
//!
//! Successive shortest augmenting paths with prices as potentials (Tomizawa 1971, Edmonds & Karp 1972, in the sparse form of
//! Jonker & Volgenant 1987, extended to capacities and to leaving somebody out). [`solve()`] takes the executives one after
//! another; `path` finds for each the cheapest chain of moves that ends at a free place or with somebody leaving, by
//! Dijkstra's algorithm on the reduced costs c\_ij + p\_j − u\_i; the price of every mentor nearer than that end rises by
//! the difference.
//!
//! Invariants, true between any two searches, for the executives taken so far:
//!
//! - p ≥ 0, and p\_j = 0 while mentor j has a free place;
//! - an executive with a mentor sits where u\_i is attained (*tight*); one without has u\_i = P\_i;
//! - hence the certificate's equation holds, and the assignment is optimal for those executives;
//! - every price is *held*: it is zero, or somebody is indifferent to coming who has no mentor or sits with a mentor
//!   whose price is held. If it were lower, they would come. Hence the prices are the smallest optimal ones.
//!
//! A search keeps the last one: the price at the end of its chain is held by zero or by whoever leaves; each one before
//! by the executive who moves on; each other price that rises by the executive who would have come first, who is now
//! indifferent; and one that does not rise is held by nobody whose own mentor rises, or it would have been as near.
//!
//! The rows are sorted by cost, so that a scan stops at the first candidate that is too dear even for free (p ≥ 0).
//! Nobody who had to leave is searched for again: the assignment without them is optimal already.
//!
//! With n executives and m pairs a search takes O(m log m) at worst, the whole O(n m log m); in practice a search stays
//! within a small neighbourhood, because it ends at the first place or departure that nothing can undercut. Memory is
//! O(n + m). All arithmetic is exact: no component of a distance exceeds 7 · n · 2⁴⁰ in absolute value, which fits 64 bits
//! for the [`EXECUTIVES_MAX`] executives that are admitted.
//!
//! # Reading order
//!
//! `problem` (what is asked), `cost` (what is better), `solve` (the answer), `market` (who sits where at which prices),
//! `path` (the search), `explain` (why somebody has no mentor), [`check`] (the proof).
//!
//! # Source
//!
//! - J. Edmonds, D. R. Fulkerson: Transversals and matroid partition. J. Res. Nat. Bur. Standards 69B (1965) 147–153.
//! - J. Edmonds, R. M. Karp: Theoretical improvements in algorithmic efficiency for network flow problems. J. ACM 19
//!   (1972) 248–264.
//! - D. Gale, L. S. Shapley: College admissions and the stability of marriage. Amer. Math. Monthly 69 (1962) 9–15.
//! - P. Hall: On representatives of subsets. J. London Math. Soc. 10 (1935) 26–30.
//! - C.-C. Huang, T. Kavitha, K. Mehlhorn, D. Michail: Fair matchings and related problems. Algorithmica 74 (2016)
//!   1184–1203.
//! - R. Jonker, A. Volgenant: A shortest augmenting path algorithm for dense and sparse linear assignment problems.
//!   Computing 38 (1987) 325–340.
//! - K. Mulmuley, U. V. Vazirani, V. V. Vazirani: Matching is as easy as matrix inversion. Combinatorica 7 (1987) 105–113.
//! - L. S. Shapley, M. Shubik: The assignment game I: the core. Int. J. Game Theory 1 (1971) 111–130.
//! - N. Tomizawa: On some techniques useful for solution of transportation network problems. Networks 1 (1971) 173–194.

mod auction;
mod change;
pub mod check;
mod cost;
mod engine;
mod explain;
mod floor;
mod frontier;
mod market;
mod opening;
mod path;
mod problem;
mod progress;
mod prune;
mod rows;
mod solve;
mod vacancy;
mod value;
mod what_if;

pub use change::{Change, Refused};
pub use cost::{Cost, LEVELS};
pub use engine::{Engine, Instance};
pub use explain::{Shortage, blocking_pairs, shortage};
pub use frontier::Repair;
pub use problem::{
    BANDS_MAX, EXECUTIVES_MAX, Executive, Invalid, LISTED_MAX, Mentor, Pair, Problem, SCORE_MAX,
};
pub use progress::{Cancelled, Effort, Progress, Stage};
pub use prune::{Pruned, Shortlist, Unsolved, prune};
pub use solve::{Certificate, Solution, solve};
pub use what_if::{Alternative, WhatIf};
