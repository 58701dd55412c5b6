//! One place too many: the cheapest chain of moves that fills it, by Dijkstra's algorithm backwards.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::columns::Columns;
use crate::labels::Labels;
use crate::market::{Market, NOBODY};
use crate::progress::Effort;
use crate::value::Value;

/// The search for who comes to a free place that has a price, with buffers that outlive one search.
#[derive(Clone, Debug)]
pub(crate) struct Vacancy {
    /// Per mentor, the least reduced cost of a chain that moves the free place there, and its last move.
    labels: Labels<Label>,
    queue: BinaryHeap<Reverse<(Value, u32)>>,
}

#[derive(Clone, Copy, Debug)]
struct Label {
    distance: Value,
    mover: Move,
}

/// An executive who would go to a free place of this mentor.
#[derive(Clone, Copy, Debug)]
struct Move {
    executive: u32,
    to: u32,
    loss: u16,
}

const STAYS: Move = Move { executive: NOBODY, to: NOBODY, loss: 0 };

impl Vacancy {
    pub(crate) fn new() -> Self {
        Self { labels: Labels::new(), queue: BinaryHeap::new() }
    }

    /// Lowers the price of a mentor with a free place, to zero or until somebody's coming is worth it.
    pub(crate) fn fill(
        &mut self,
        market: &mut Market<'_>,
        columns: &Columns,
        mentor: u32,
        effort: &mut Effort,
    ) {
        effort.paths += 1;
        self.labels.begin(market.mentors());
        self.queue.clear();
        let (length, mut last) = self.shortest(market, columns, mentor, effort);
        for (mentor, Label { distance, .. }) in self.labels.iter() {
            if distance < length {
                let price = market.prices[mentor as usize] - (length - distance);
                market.prices.set(mentor as usize, price);
            }
        }
        while last.executive != NOBODY {
            market.seat(last.executive, last.to, last.loss);
            last = self.labels.get(last.to).map_or(STAYS, |label| label.mover);
        }
    }

    /// The cheapest chain that ends in a place that may stay free, or with somebody who had no seat: its length and the
    /// move that is farthest from the free place.
    fn shortest(
        &mut self,
        market: &Market<'_>,
        columns: &Columns,
        mentor: u32,
        effort: &mut Effort,
    ) -> (Value, Move) {
        self.labels.set(mentor, Label { distance: Value::ZERO, mover: STAYS });
        self.queue.push(Reverse((Value::ZERO, mentor)));
        let mut best = (Value::UNREACHED, STAYS);
        while let Some(Reverse((distance, mentor))) = self.queue.pop() {
            if distance >= best.0 {
                break;
            }
            let Some(label) = self.labels.get(mentor).filter(|label| distance <= label.distance) else {
                continue;
            };
            effort.mentors_settled += 1;
            let start = distance + market.prices[mentor as usize];
            if start < best.0 {
                best = (start, label.mover);
            }
            let mut margin = (start - best.0).points_at_most();
            for (executive, loss) in columns.column(mentor as usize) {
                effort.pairs_relaxed += 1;
                // Most have something better, as their points alone say.
                if i32::from(loss).saturating_add(margin) < market.ceilings[executive as usize]
                    && self.relax(market, start, Move { executive, to: mentor, loss }, &mut best)
                {
                    margin = (start - best.0).points_at_most();
                }
            }
        }
        best
    }

    /// Looks at one move to a free place, given the length of the chain so far plus the price of that place; tells whether it
    /// ends the cheapest chain so far.
    fn relax(&mut self, market: &Market<'_>, start: Value, mover: Move, best: &mut (Value, Move)) -> bool {
        let executive = mover.executive as usize;
        let seat = market.seat_of(executive);
        if seat.locked || seat.mentor == mover.to || mover.loss == crate::rows::FORBIDDEN {
            return false;
        }
        let cost = |loss| market.measure.at_least(loss);
        if seat.mentor != NOBODY {
            let least = cost(seat.loss) + market.prices[seat.mentor as usize] + Value::TIE_MAX;
            if start + cost(mover.loss) - least >= best.0 {
                return false;
            }
        }
        let cost = market.measure.pair(executive, mover.to as usize, mover.loss);
        if seat.mentor == NOBODY {
            let distance = start + cost - market.penalty(executive);
            if distance < best.0 {
                *best = (distance, mover);
                return true;
            }
            return false;
        }
        let distance = start + cost - market.least(executive);
        let known = self.labels.get(seat.mentor);
        if distance >= best.0 || known.is_some_and(|label| distance >= label.distance) {
            return false;
        }
        self.labels.set(seat.mentor, Label { distance, mover });
        self.queue.push(Reverse((distance, seat.mentor)));
        false
    }
}
