//! One executive more: the cheapest chain of moves, by Dijkstra's algorithm.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::market::{Market, NOBODY};
use crate::progress::Effort;
use crate::value::Value;

/// The search for the cheapest chain, with buffers that outlive one search.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    /// Per mentor, the least reduced cost of a chain that reaches it, and how.
    labels: Vec<Label>,
    /// Mentors reached in this search, to be forgotten after it.
    reached: Vec<u32>,
    queue: BinaryHeap<Reverse<(Value, u32)>>,
}

#[derive(Clone, Copy, Debug)]
struct Label {
    distance: Value,
    /// The executive who would come to this mentor.
    executive: u32,
    loss: u16,
}

const UNREACHED: Label = Label { distance: Value::UNREACHED, executive: NOBODY, loss: 0 };

/// How a chain of moves ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// The last one takes a free place of this mentor.
    FreePlace(u32),
    /// This executive goes without a mentor; it may be the one searched for.
    Leaving(u32),
}

impl Search {
    pub(crate) fn new(mentors: usize) -> Self {
        Self { labels: vec![UNREACHED; mentors], reached: Vec::new(), queue: BinaryHeap::new() }
    }

    /// Takes in an executive without a seat by the cheapest chain of moves, and raises the prices it proves.
    pub(crate) fn admit(&mut self, market: &mut Market, executive: u32, effort: &mut Effort) {
        effort.paths += 1;
        let (length, end) = self.shortest(market, executive, effort);
        for &mentor in &self.reached {
            let distance = self.labels[mentor as usize].distance;
            if distance < length {
                market.prices[mentor as usize] += length - distance;
            }
        }
        self.walk_back(market, end);
        self.forget();
    }

    /// The cheapest chain that begins with this executive: its reduced cost and its end.
    fn shortest(&mut self, market: &Market, executive: u32, effort: &mut Effort) -> (Value, End) {
        let least = market.least(executive as usize);
        let mut best = (market.penalty(executive as usize) - least, End::Leaving(executive));
        self.relax(market, executive, Value::ZERO - least, &mut best, effort);
        while let Some(Reverse((distance, mentor))) = self.queue.pop() {
            if distance >= best.0 {
                break;
            }
            if distance > self.labels[mentor as usize].distance {
                continue;
            }
            effort.mentors_settled += 1;
            for seated in market.seated(mentor as usize) {
                let start = distance - market.least(seated);
                let leaving = start + market.penalty(seated);
                if leaving < best.0 {
                    best = (leaving, End::Leaving(seated as u32));
                }
                self.relax(market, seated as u32, start, &mut best, effort);
            }
        }
        best
    }

    /// Looks at every move of one executive, given the length of the chain so far less the executive's least cost.
    fn relax(
        &mut self,
        market: &Market,
        executive: u32,
        start: Value,
        best: &mut (Value, End),
        effort: &mut Effort,
    ) {
        for (mentor, loss) in market.rows.row(executive as usize) {
            if start + market.measure.at_least(loss) >= best.0 {
                break;
            }
            effort.pairs_relaxed += 1;
            let cost = market.measure.pair(executive as usize, mentor as usize, loss);
            let distance = start + cost + market.prices[mentor as usize];
            let label = &mut self.labels[mentor as usize];
            if distance >= best.0 || distance >= label.distance {
                continue;
            }
            if label.executive == NOBODY {
                self.reached.push(mentor);
            }
            *label = Label { distance, executive, loss };
            if market.has_free_place(mentor as usize) {
                *best = (distance, End::FreePlace(mentor));
            } else {
                self.queue.push(Reverse((distance, mentor)));
            }
        }
    }

    /// Makes the moves of the chain, the last one first; the executive searched for comes from nowhere.
    fn walk_back(&self, market: &mut Market, end: End) {
        let mut vacated = match end {
            End::FreePlace(mentor) => mentor,
            End::Leaving(executive) => market.stand_up(executive),
        };
        while vacated != NOBODY {
            let Label { executive, loss, .. } = self.labels[vacated as usize];
            vacated = market.seat(executive, vacated, loss);
        }
    }

    fn forget(&mut self) {
        for mentor in self.reached.drain(..) {
            self.labels[mentor as usize] = UNREACHED;
        }
        self.queue.clear();
    }
}
