//! The answer, and how it comes about.

use crate::cost::Cost;
use crate::market::{Candidate, Market};
use crate::path::Search;
use crate::problem::{Invalid, Problem, SCORE_MAX};

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
    problem.validate()?;
    let mut market = Market::open(problem);
    let mut search = Search::new(problem.mentors.len());
    for executive in 0..problem.executives.len() {
        if market.seats[executive].is_none() {
            search.admit(&mut market, executive);
        }
    }
    Ok(settle(market))
}

fn settle(market: Market) -> Solution {
    let paid =
        |(seat, penalty): (&Option<_>, &Cost)| seat.map_or(*penalty, |candidate: Candidate| candidate.cost);
    let cost: Cost = market.seats.iter().zip(&market.penalties).map(paid).sum();
    Solution {
        assignment: market.seats.iter().map(|seat| seat.map(|candidate| candidate.mentor)).collect(),
        score: market.seats.iter().flatten().map(|seat| i64::from(SCORE_MAX) - seat.cost.loss).sum(),
        certificate: Certificate { prices: market.prices, cost },
    }
}
