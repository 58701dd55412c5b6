//! One executive more: the cheapest chain of moves, by Dijkstra's algorithm.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::cost::Cost;
use crate::market::{Candidate, Market};

/// The search for the cheapest chain, with buffers that outlive one search.
#[derive(Debug)]
pub(crate) struct Search {
    /// Per mentor, the least reduced cost of a chain that reaches it.
    distances: Vec<Cost>,
    /// Per mentor reached, the executive who would come and the seat taken.
    arrivals: Vec<Option<(usize, Candidate)>>,
    /// Mentors reached in this search, to be forgotten after it.
    reached: Vec<usize>,
    /// Full mentors whose seated executives may have to move on.
    queue: BinaryHeap<Reverse<(Cost, usize)>>,
}

/// How a chain of moves ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// The last one takes a free place of this mentor.
    FreePlace(usize),
    /// This executive goes without a mentor; it may be the one searched for.
    Leaving(usize),
}

impl Search {
    pub(crate) fn new(mentors: usize) -> Self {
        Self {
            distances: vec![Cost::UNREACHED; mentors],
            arrivals: vec![None; mentors],
            reached: Vec::new(),
            queue: BinaryHeap::new(),
        }
    }

    /// Takes one more executive into the optimum, with a mentor or without.
    pub(crate) fn admit(&mut self, market: &mut Market, executive: usize) {
        let (length, end) = self.shortest(market, executive);
        for &mentor in &self.reached {
            if self.distances[mentor] < length {
                market.prices[mentor] += length - self.distances[mentor];
            }
        }
        self.walk_back(market, end);
        self.forget();
    }

    /// The cheapest chain that begins with this executive: its reduced cost and its end.
    fn shortest(&mut self, market: &Market, executive: usize) -> (Cost, End) {
        let least = market.least(executive);
        let mut best = (market.penalties[executive] - least, End::Leaving(executive));
        self.relax(market, executive, Cost::ZERO - least, &mut best);
        while let Some(Reverse((distance, mentor))) = self.queue.pop() {
            if distance >= best.0 {
                break;
            }
            if distance > self.distances[mentor] {
                continue;
            }
            for &seated in market.seated(mentor) {
                let start = distance - market.least(seated);
                let leaving = start + market.penalties[seated];
                if leaving < best.0 {
                    best = (leaving, End::Leaving(seated));
                }
                self.relax(market, seated, start, &mut best);
            }
        }
        best
    }

    /// Looks at every move of one executive, given the length of the chain so far less the executive's least cost.
    fn relax(&mut self, market: &Market, executive: usize, start: Cost, best: &mut (Cost, End)) {
        for &candidate in &market.rows[executive] {
            let for_free = start + candidate.cost;
            if for_free >= best.0 {
                break;
            }
            let mentor = candidate.mentor;
            let distance = for_free + market.prices[mentor];
            if distance >= best.0 || distance >= self.distances[mentor] {
                continue;
            }
            if self.arrivals[mentor].is_none() {
                self.reached.push(mentor);
            }
            self.distances[mentor] = distance;
            self.arrivals[mentor] = Some((executive, candidate));
            if market.has_free_place(mentor) {
                *best = (distance, End::FreePlace(mentor));
            } else {
                self.queue.push(Reverse((distance, mentor)));
            }
        }
    }

    /// Makes the moves of the chain, the last one first; the executive searched for comes from nowhere.
    fn walk_back(&self, market: &mut Market, end: End) {
        let mut vacated = match end {
            End::FreePlace(mentor) => Some(mentor),
            End::Leaving(executive) => market.reseat(executive, None),
        };
        while let Some((executive, candidate)) = vacated.and_then(|mentor| self.arrivals[mentor]) {
            vacated = market.reseat(executive, Some(candidate));
        }
    }

    fn forget(&mut self) {
        for mentor in self.reached.drain(..) {
            self.distances[mentor] = Cost::UNREACHED;
            self.arrivals[mentor] = None;
        }
        self.queue.clear();
    }
}
