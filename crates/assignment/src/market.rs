//! The state of the search: who sits where, and at which prices.

use crate::cost::Cost;
use crate::problem::Problem;

/// One admissible mentor of an executive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) mentor: usize,
    pub(crate) cost: Cost,
}

/// The problem in the form the searches need, with the assignment and prices reached so far.
#[derive(Debug)]
pub(crate) struct Market {
    /// Per executive, the candidates by rising cost.
    pub(crate) rows: Vec<Vec<Candidate>>,
    /// Per executive, the cost of having no mentor.
    pub(crate) penalties: Vec<Cost>,
    /// Per executive, the mentor taken.
    pub(crate) seats: Vec<Option<Candidate>>,
    /// Per mentor, the places that are not bound by a lock.
    places: Vec<usize>,
    /// Per mentor, the executives on those places.
    seated: Vec<Vec<usize>>,
    /// Per mentor, the price.
    pub(crate) prices: Vec<Cost>,
}

impl Market {
    /// Opens the market of a valid problem: locks sit, nobody else does, every price is zero.
    ///
    /// A locked place is taken out of the market: its executive is in `seats`, but not in `seated`, and is never moved.
    pub(crate) fn open(problem: &Problem) -> Self {
        let mut rows = vec![Vec::new(); problem.executives.len()];
        for pair in &problem.pairs {
            let cost = Cost::of_pair(problem, pair.executive, pair.mentor, pair.score);
            rows[pair.executive].push(Candidate { mentor: pair.mentor, cost });
        }
        for row in &mut rows {
            row.sort_unstable_by_key(|candidate| candidate.cost);
        }
        let mut places: Vec<usize> = problem.mentors.iter().map(|mentor| mentor.capacity as usize).collect();
        let mut seats = vec![None; rows.len()];
        for &(executive, mentor) in &problem.locks {
            seats[executive] = rows[executive].iter().find(|candidate| candidate.mentor == mentor).copied();
            places[mentor] -= 1;
        }
        Self {
            penalties: problem.executives.iter().copied().map(Cost::of_leaving).collect(),
            seated: vec![Vec::new(); places.len()],
            prices: vec![Cost::ZERO; places.len()],
            rows,
            places,
            seats,
        }
    }

    pub(crate) fn has_free_place(&self, mentor: usize) -> bool {
        self.seated[mentor].len() < self.places[mentor]
    }

    /// The executives who sit with this mentor and may be moved.
    pub(crate) fn seated(&self, mentor: usize) -> &[usize] {
        &self.seated[mentor]
    }

    /// The least this executive can be had for at the present prices (*u*).
    ///
    /// Who sits, sits at the least; so the row has to be read only for somebody new.
    pub(crate) fn least(&self, executive: usize) -> Cost {
        if let Some(seat) = self.seats[executive] {
            return seat.cost + self.prices[seat.mentor];
        }
        let mut least = self.penalties[executive];
        for candidate in &self.rows[executive] {
            if candidate.cost >= least {
                break;
            }
            least = least.min(candidate.cost + self.prices[candidate.mentor]);
        }
        least
    }

    /// Gives an executive a new seat, or none, and returns the mentor left.
    pub(crate) fn reseat(&mut self, executive: usize, seat: Option<Candidate>) -> Option<usize> {
        let left = self.seats[executive].map(|candidate| candidate.mentor);
        if let Some(mentor) = left {
            self.seated[mentor].retain(|&other| other != executive);
        }
        if let Some(candidate) = seat {
            self.seated[candidate.mentor].push(executive);
        }
        self.seats[executive] = seat;
        left
    }
}
