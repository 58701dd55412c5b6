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
//! no weight has to be "large enough". The price of a mentor is such a vector too. Inside, the vector is packed into two
//! words of 128 bits (`value`), a field per goal.
//!
//! # The certificate
//!
//! Pair (i, j) costs *c\_ij*; to leave i without a mentor costs *P\_i*. The answer comes with one price *p\_j* ≥ 0 per
//! mentor. Let *u\_i* = min(P\_i, min\_j c\_ij + p\_j), and for a locked executive the cost and price of the locked pair. Any
//! assignment whatsoever costs at least Σu − Σ b\_j p\_j, so if that bound equals the cost of the answer, the answer is
//! optimal in all goals at once. [`check::check`] recomputes exactly this, and shares with the solver
//! no more than the statement: the types, and how a [`Problem`] is validated and its pairs are read.
//!
//! Of all optimal price vectors, which form a lattice (Shapley & Shubik 1971), the smallest is reported: it is a
//! property of the problem alone, so a price shown to somebody does not depend on how it was found.
//!
//! # The method
//!
//! Invariants of a [market](Engine), true between any two steps of the exact part:
//!
//! 1. p ≥ 0;
//! 2. whoever sits is *tight*: c\_ij + p\_j = u\_i, nobody envies anybody;
//! 3. at the end, whoever stands has u\_i = P\_i, and a mentor with a free place has p\_j = 0.
//!
//! The three together are the certificate's equation. Every p ≥ 0 is a valid beginning: seat whoever is tight, and repair 3.
//! So the parts are independent of each other, and the answer is exact and unique whatever the first one leaves behind:
//!
//! - **Opening** (`opening`, `auction`): whoever finds their best place free sits there; if a fifth or more would not, an
//!   ε-scaled auction
//!   (Bertsekas) with capacities, in whole points: in each phase executives bid for their best place as
//!   much as it is better than the second best, plus ε; being below a band counts as many points, and leaving as more.
//!   After each phase all prices fall by some ε and those of free places to zero, so that hardly any ends too high. Then
//!   rounds without increment in exact costs, which leave every bid that is held tight.
//! - **Admission** (`path`): each executive who stands takes the cheapest chain of moves that ends at a free place or with
//!   somebody leaving, by Dijkstra's algorithm on the reduced costs c\_ij + p\_j − u\_i (Tomizawa 1971, Edmonds & Karp 1972,
//!   Jonker & Volgenant 1987); the price of every mentor nearer than that end rises by the difference.
//! - **Vacancies** (`vacancy`): for each free place with a price, the same search backwards: the price falls until it is zero
//!   or somebody comes, from another mentor, whose place then is offered, or from nowhere.
//! - **Floor** (`floor`): prices rise from zero until nobody who stands or sits elsewhere would come; by Dijkstra's order
//!   of the falls they leave, few rise twice.
//!
//! The goals are staged without stages: the auction only looks for good prices, so it may treat goals as points, while
//! what decides is compared as vectors. Weights that make one integer of all goals would be exact in an auction, too, but ε
//! would have to fall all the way from the largest weight.
//!
//! Rows are read by rising loss, so that every scan stops at the first candidate that would be too dear even for free
//! (p ≥ 0), and only what is read is ever copied from the problem and sorted: first the best few, chosen in one pass, then
//! more on demand (`rows`). Of most candidates that are too dear, the points of the price tell so alone, which take an eighth
//! of its memory. The tie-break is a hash of two keys and is computed only where all other goals are equal or nearly so.
//!
//! # Repairs and questions
//!
//! An [`Engine`] keeps the market. [`Engine::apply`] takes a [`Change`], lets those stand up whom it makes envious, and
//! repairs invariant 3: mostly one path each way. The prices it begins with are those that the solve ended with, somewhere
//! between the smallest and the largest: from there it is not far to where a change leads, up or down, whereas from the
//! smallest the way up is several times as long. At the smallest prices, one path also answers what it would cost
//! everybody to force or to forbid a pair ([`WhatIf`]): a seat given up is worth its price to the others, exactly, because
//! the smallest price is the length of the shortest chain that ends there. [`Instance::frontier`] finds repairs of any
//! assignment that move few. [`prune`] reads only the best candidates of everybody and proves that the others
//! do not matter. [`shortage`] says why somebody has no mentor, [`Progress`] what a long run is doing, [`Effort`] what
//! it did.
//!
//! # Complexity
//!
//! With n executives and m pairs, to read a problem takes O(m), to sort what is read later O(m log m) at worst. The auction
//! takes as many bids as there are (some 15 per executive in realistic problems); every path O(m log m) at worst, mostly some hundred pairs, as it ends at the first place or
//! departure that nothing can undercut. The floor takes O(m log m) as long as few prices
//! rise twice. Memory beside the problem is O(n + m): 8 bytes per pair that is read, and again as much for the pairs that
//! matter to vacancies. What limits large problems is the wait for memory: rows, prices and seats are visited in the order of
//! bids and paths.
//!
//! All arithmetic is exact. Prices and distances are sums along chains of at most n moves each way, so no component exceeds
//! 7 n times the largest cost of its goal: 2²² for bands, 2³⁶ for the loss and 2⁶² for the tie-break with
//! [`EXECUTIVES_MAX`] executives, within fields of 24, 64 and 64 bits; of the first two goals a chain changes each by at
//! most 1. Prices that a caller brings are taken only within such bounds.
//!
//! # Reading order
//!
//! `problem` (what is asked), `cost` (what is better), `solve` (the answer), `value` (costs packed), `rows` and `columns` (pairs by person),
//! `prices` and `market` (who sits where at which prices), `labels`, `path`, `vacancy` and `floor` (the searches), `auction` and `opening` (the
//! start), `engine` (how they come together), `change`, `what_if`, `frontier`, `prune` (what is asked of it), `explain` (why
//! somebody has no mentor), `progress`, [`check`] (the proof).
//!
//! # Source
//!
//! - D. P. Bertsekas: The auction algorithm. Annals of Operations Research 14 (1988) 105–123; with D. A. Castañón: The
//!   auction algorithm for the transportation problem. Ibid. 20 (1989) 67–96.
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
mod columns;
mod cost;
mod engine;
mod explain;
mod floor;
mod frontier;
mod labels;
mod market;
mod opening;
mod path;
mod prices;
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
pub use explain::{Shortage, Shortages, blocking_pairs, shortage};
pub use frontier::Repair;
pub use problem::{
    BANDS_MAX, EXECUTIVES_MAX, Executive, Invalid, LISTED_MAX, Mentor, Pair, Problem, SCORE_MAX,
};
pub use progress::{Cancelled, Effort, Progress, Stage};
pub use prune::{Pruned, Shortlist, Unsolved, prune};
pub use solve::{Certificate, Solution, solve};
pub use what_if::{Alternative, WhatIf};
