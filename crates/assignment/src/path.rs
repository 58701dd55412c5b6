//! The cheapest chain of moves that begins with one executive, by Dijkstra's algorithm.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::labels::Labels;
use crate::market::{Market, NOBODY};
use crate::progress::Effort;
use crate::value::Value;

/// The search for the cheapest chain, with buffers that outlive one search.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    /// Per mentor, the least reduced cost of a chain that reaches it, and its last move.
    labels: Labels<Label>,
    /// Full mentors whose executives may have to move on.
    queue: BinaryHeap<Reverse<(Value, u32)>>,
    /// The cheapest chain so far that has an end.
    length: Value,
    end: End,
    /// A mentor where a place is about to be free, so that a chain may end there.
    vacated: u32,
}

#[derive(Clone, Copy, Debug)]
struct Label {
    distance: Value,
    /// The executive who would come to this mentor.
    executive: u32,
    loss: u16,
}

/// How a chain of moves ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// The last one takes a free place of this mentor.
    FreePlace(u32),
    /// This executive goes without a mentor; it may be the one searched for.
    Leaving(u32),
}

impl Search {
    pub(crate) fn new() -> Self {
        Self {
            labels: Labels::new(),
            queue: BinaryHeap::new(),
            length: Value::UNREACHED,
            end: End::Leaving(NOBODY),
            vacated: NOBODY,
        }
    }

    /// Takes in an executive without a seat by the cheapest chain of moves, and raises the prices it proves.
    pub(crate) fn admit(&mut self, market: &mut Market<'_>, executive: u32, effort: &mut Effort) {
        self.begin(market, (market.penalty(executive as usize), executive), NOBODY, effort);
        let (least, _) = market.best_of_row(executive as usize);
        self.length = self.length - least;
        self.relax(market, executive, Value::ZERO - least, NOBODY, effort);
        self.run(market, effort);
        for (mentor, Label { distance, .. }) in self.labels.iter() {
            if distance < self.length {
                let price = market.prices[mentor as usize] + (self.length - distance);
                market.prices.set(mentor as usize, price);
                market.raise_ceilings(mentor);
            }
        }
        self.walk_back(market);
    }

    /// What it costs everybody that an executive goes to this mentor, at the smallest prices.
    ///
    /// The executive's own seat, if any, is vacated. A chain that ends elsewhere leaves it to whoever gains most by it, and
    /// the smallest price of a place is what it is worth to them: the reduced costs count that already.
    pub(crate) fn force(
        &mut self,
        market: &mut Market<'_>,
        executive: u32,
        (mentor, loss): (u32, u16),
        effort: &mut Effort,
    ) -> Value {
        let cost = market.measure.pair(executive as usize, mentor as usize, loss);
        let distance = cost + market.prices[mentor as usize] - market.least(executive as usize);
        if market.has_free_place(mentor as usize) {
            return distance;
        }
        let own = market.seat_of(executive as usize).mentor;
        self.begin(market, (Value::UNREACHED, NOBODY), own, effort);
        self.labels.set(mentor, Label { distance, executive, loss });
        self.queue.push(Reverse((distance, mentor)));
        self.run(market, effort);
        self.length
    }

    /// What it costs everybody, at the smallest prices, that an executive may not keep the seat they have, and with whom
    /// they sit then.
    pub(crate) fn forbid(
        &mut self,
        market: &mut Market<'_>,
        executive: u32,
        effort: &mut Effort,
    ) -> (Value, Option<u32>) {
        let own = market.seat_of(executive as usize).mentor;
        self.begin(market, (market.penalty(executive as usize), executive), own, effort);
        let least = market.least(executive as usize);
        self.length = self.length - least;
        self.relax(market, executive, Value::ZERO - least, own, effort);
        self.run(market, effort);
        let instead = self.first_move(market, executive);
        (self.length, instead)
    }

    /// Begins a search with a chain that has only an end: somebody leaves.
    fn begin(
        &mut self,
        market: &Market<'_>,
        (length, leaving): (Value, u32),
        vacated: u32,
        effort: &mut Effort,
    ) {
        effort.paths += 1;
        self.labels.begin(market.mentors());
        self.queue.clear();
        self.length = length;
        self.end = End::Leaving(leaving);
        self.vacated = vacated;
    }

    /// Lengthens the shortest chain until one with an end is the shortest of all.
    fn run(&mut self, market: &mut Market<'_>, effort: &mut Effort) {
        while let Some(Reverse((distance, mentor))) = self.queue.pop() {
            if distance >= self.length {
                break;
            }
            if self.labels.get(mentor).is_none_or(|label| distance > label.distance) {
                continue;
            }
            effort.mentors_settled += 1;
            let mut seated = market.first_seated(mentor as usize);
            while let Some(executive) = seated {
                seated = market.next_seated(executive);
                let start = distance - market.least(executive as usize);
                let leaving = start + market.penalty(executive as usize);
                if leaving < self.length {
                    self.length = leaving;
                    self.end = End::Leaving(executive);
                }
                self.relax(market, executive, start, NOBODY, effort);
            }
        }
    }

    /// Looks at every move of one executive but one that is barred, given the length of the chain so far less the
    /// executive's least cost.
    fn relax(
        &mut self,
        market: &mut Market<'_>,
        executive: u32,
        start: Value,
        barred: u32,
        effort: &mut Effort,
    ) {
        let Market { rows, measure, prices, desks, .. } = market;
        let mut enough = (self.length - start).points_enough();
        for (mentor, loss) in rows.scan(executive as usize) {
            let points = i32::from(loss);
            let for_free = start + measure.at_least(loss);
            if points >= enough || for_free >= self.length {
                break;
            }
            effort.pairs_relaxed += 1;
            // Most are too dear, as their points alone say.
            if points + prices.points(mentor as usize) >= enough {
                continue;
            }
            let price = prices[mentor as usize];
            let before = self.labels.get(mentor).map_or(self.length, |label| label.distance.min(self.length));
            if for_free + price >= before || mentor == barred {
                continue;
            }
            let cost = measure.pair(executive as usize, mentor as usize, loss);
            let distance = start + cost + price;
            if distance >= before {
                continue;
            }
            self.labels.set(mentor, Label { distance, executive, loss });
            if mentor == self.vacated || desks[mentor as usize].has_free_place() {
                self.length = distance;
                self.end = End::FreePlace(mentor);
                enough = (distance - start).points_enough();
            } else {
                self.queue.push(Reverse((distance, mentor)));
            }
        }
    }

    /// Makes the moves of the chain, the last one first; the executive searched for comes from nowhere.
    fn walk_back(&self, market: &mut Market<'_>) {
        let mut free = match self.end {
            End::FreePlace(mentor) => mentor,
            End::Leaving(executive) => market.stand_up(executive),
        };
        while free != NOBODY {
            let Some(Label { executive, loss, .. }) = self.labels.get(free) else { break };
            free = market.seat(executive, free, loss);
        }
    }

    /// Where the chain takes the executive with whom it begins.
    fn first_move(&self, market: &Market<'_>, executive: u32) -> Option<u32> {
        let mut mentor = match self.end {
            End::FreePlace(mentor) => mentor,
            End::Leaving(leaving) if leaving == executive => return None,
            End::Leaving(leaving) => market.seat_of(leaving as usize).mentor,
        };
        loop {
            let Label { executive: mover, .. } = self.labels.get(mentor)?;
            if mover == executive {
                return Some(mentor);
            }
            mentor = market.seat_of(mover as usize).mentor;
        }
    }
}
