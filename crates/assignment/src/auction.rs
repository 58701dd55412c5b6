//! An auction with capacities: it finds good prices fast.

use std::ops::{Add, Sub};

use crate::market::NOBODY;
use crate::prices::Prices;
use crate::progress::{Cancelled, Effort, Progress, Stage};
use crate::rows::Rows;
use crate::value::Value;

/// Bids between two looks at whether the computation is cancelled.
const BIDS_AT_ONCE: usize = 4_096;
/// Executives whose rows are fetched together while those before them bid: the waits for memory overlap.
const FETCHED_AT_ONCE: usize = 8;

/// A price per mentor.
pub(crate) trait PriceList<P> {
    /// Whether points alone, which take less memory than prices, tell of most candidates that they are too dear.
    const IS_HINTED: bool;

    /// The number of mentors.
    fn count(&self) -> usize;

    /// The price.
    fn price(&self, mentor: usize) -> P;

    /// No more whole points of score than the price.
    fn points(&self, mentor: usize) -> i32;

    /// Changes a price.
    fn set(&mut self, mentor: usize, price: P);
}

impl PriceList<Value> for Prices {
    const IS_HINTED: bool = true;

    fn count(&self) -> usize {
        self.len()
    }

    #[inline]
    fn price(&self, mentor: usize) -> Value {
        self[mentor]
    }

    #[inline]
    fn points(&self, mentor: usize) -> i32 {
        self.points(mentor)
    }

    #[inline]
    fn set(&mut self, mentor: usize, price: Value) {
        self.set(mentor, price);
    }
}

impl PriceList<i32> for Vec<i32> {
    const IS_HINTED: bool = false;

    fn count(&self) -> usize {
        self.len()
    }

    #[inline]
    fn price(&self, mentor: usize) -> i32 {
        self[mentor]
    }

    #[inline]
    fn points(&self, mentor: usize) -> i32 {
        self[mentor]
    }

    #[inline]
    fn set(&mut self, mentor: usize, price: i32) {
        self[mentor] = price;
    }
}

/// What candidates are worth to executives.
pub(crate) trait Valuation {
    /// The numbers that bids are made in.
    type Price: Copy + Ord + Default + Add<Output = Self::Price> + Sub<Output = Self::Price>;

    /// Points from which on everything costs more than this.
    fn points_enough(cost: Self::Price) -> i32;

    /// The cost that no pair of this loss or a greater one is below.
    fn at_least(&self, loss: u16) -> Self::Price;

    /// The cost of a pair.
    fn pair(&self, executive: usize, mentor: usize, loss: u16) -> Self::Price;

    /// The cost of staying away.
    fn leaving(&self, executive: usize) -> Self::Price;
}

/// Bids for places: every mentor holds as many as there are places, and asks for more than the lowest of them.
///
/// # Source
///
/// D. P. Bertsekas, The auction algorithm, Annals of Operations Research 14 (1988) 105–123; with D. A. Castañón, The
/// auction algorithm for the transportation problem, ibid. 20 (1989) 67–96.
#[derive(Debug)]
pub(crate) struct Auction<P, L> {
    /// Per mentor, the bids it holds; one more than mentors.
    shelves: Vec<Shelf>,
    /// Per mentor, as many as places; those held form a heap with the lowest one first.
    bids: Vec<Bid<P>>,
    /// Per mentor, the price of the next place.
    pub(crate) prices: L,
    /// Executives who have to bid, the next one last.
    pub(crate) bidders: Vec<u32>,
    /// Executives who would rather stay away at the present prices.
    pub(crate) away: Vec<u32>,
}

/// Where the bids of a mentor begin, and how many are held.
#[derive(Clone, Copy, Debug)]
struct Shelf {
    start: u32,
    held: u32,
}

/// A bid that a mentor holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bid<P> {
    level: P,
    pub(crate) executive: u32,
    pub(crate) loss: u16,
}

impl<P: Copy + Ord + Default + Add<Output = P> + Sub<Output = P>, L: PriceList<P>> Auction<P, L> {
    /// Opens the auction; `starts` are the sums of the places before each mentor.
    pub(crate) fn open(starts: Vec<u32>, prices: L, bidders: Vec<u32>) -> Self {
        let places = starts.last().copied().unwrap_or_default();
        let nobody = Bid { level: P::default(), executive: NOBODY, loss: 0 };
        let bids = vec![nobody; places as usize];
        let shelves = starts.into_iter().map(|start| Shelf { start, held: 0 }).collect();
        Self { shelves, bids, prices, bidders, away: Vec::new() }
    }

    /// Lets executives bid until everybody sits or stays away; every bid raises a price by at least the increment.
    pub(crate) fn run<V: Valuation<Price = P>>(
        &mut self,
        (rows, valuation): (&mut Rows<'_>, &V),
        increment: P,
        (progress, effort): (&Progress, &mut Effort),
    ) -> Result<(), Cancelled> {
        let (mut bidders, mut next) = (Vec::new(), Vec::new());
        while !self.bidders.is_empty() || !next.is_empty() {
            progress.report(Stage::Auction, self.bidders.len())?;
            for _ in 0..BIDS_AT_ONCE / FETCHED_AT_ONCE {
                std::mem::swap(&mut bidders, &mut next);
                let few = self.bidders.len().saturating_sub(FETCHED_AT_ONCE);
                next.extend(self.bidders.drain(few..));
                for &executive in &next {
                    rows.fetch(executive as usize);
                }
                while let Some(executive) = bidders.pop() {
                    let out = self.bid(rows, valuation, increment, executive, effort);
                    self.bidders.extend(out);
                }
            }
        }
        Ok(())
    }

    /// Lets everybody bid once without any increment, and whoever loses a place by it, at most `chain` bids in a row.
    ///
    /// All bids that are held then are as good as any other for those who made them; who bid in vain has to bid again.
    pub(crate) fn round<V: Valuation<Price = P>>(
        &mut self,
        (rows, valuation): (&mut Rows<'_>, &V),
        chain: usize,
        (progress, effort): (&Progress, &mut Effort),
    ) -> Result<(), Cancelled> {
        let bidders = std::mem::take(&mut self.bidders);
        for (turn, &first) in bidders.iter().enumerate().rev() {
            if let Some(soon) = turn.checked_sub(2 * FETCHED_AT_ONCE) {
                rows.fetch(bidders[soon] as usize);
            }
            if let Some(soon) = turn.checked_sub(FETCHED_AT_ONCE) {
                self.fetch(rows.first(bidders[soon] as usize));
            }
            if turn % BIDS_AT_ONCE == 0 {
                progress.report(Stage::Auction, turn)?;
            }
            let mut bidder = Some(first);
            for _ in 0..chain {
                let Some(executive) = bidder else { break };
                bidder = self.bid(rows, valuation, P::default(), executive, effort);
            }
            self.bidders.extend(bidder);
        }
        self.bidders.reverse();
        Ok(())
    }

    /// Has what is known of a mentor fetched from memory, so that it is there when somebody bids.
    #[inline]
    fn fetch(&self, mentor: Option<u32>) {
        let Some(mentor) = mentor.map(|mentor| mentor as usize) else { return };
        std::hint::black_box((self.prices.price(mentor), self.prices.points(mentor)));
        std::hint::black_box(self.bids.get(self.shelves[mentor].start as usize).copied());
    }

    /// Makes one bid; returns who lost a place by it.
    ///
    /// As no price is below zero, nothing from the first candidate on that would be too dear for free can be chosen.
    fn bid<V: Valuation<Price = P>>(
        &mut self,
        rows: &mut Rows<'_>,
        valuation: &V,
        increment: P,
        executive: u32,
        effort: &mut Effort,
    ) -> Option<u32> {
        effort.bids += 1;
        let mut best = valuation.leaving(executive as usize);
        let mut second = best;
        let mut choice = None;
        let mut read = 0;
        let mut enough = V::points_enough(second);
        for (mentor, loss) in rows.scan(executive as usize) {
            let least = valuation.at_least(loss);
            if least >= second {
                break;
            }
            read += 1;
            if L::IS_HINTED && i32::from(loss) + self.prices.points(mentor as usize) >= enough {
                continue;
            }
            let price = self.prices.price(mentor as usize);
            if least + price >= second {
                continue;
            }
            let value = valuation.pair(executive as usize, mentor as usize, loss) + price;
            if value < best {
                second = std::mem::replace(&mut best, value);
                choice = Some((mentor as usize, loss));
            } else if value < second {
                second = value;
            } else {
                continue;
            }
            enough = V::points_enough(second);
        }
        effort.pairs_bid_for += read;
        let Some((mentor, loss)) = choice else {
            self.away.push(executive);
            return None;
        };
        let level = self.prices.price(mentor) + (second - best) + increment;
        self.hold(mentor, Bid { level, executive, loss })
    }

    /// Holds a bid; returns whose bid is held no longer.
    fn hold(&mut self, mentor: usize, bid: Bid<P>) -> Option<u32> {
        let Shelf { start, held } = self.shelves[mentor];
        let bids = &mut self.bids[start as usize..self.shelves[mentor + 1].start as usize];
        let held = held as usize;
        if held == bids.len() {
            let out = bids[0].executive;
            sift_down(bids, bid);
            self.prices.set(mentor, bids[0].level);
            return Some(out);
        }
        sift_up(bids, held, bid);
        self.shelves[mentor].held += 1;
        if held + 1 == bids.len() {
            self.prices.set(mentor, bids[0].level);
        }
        None
    }

    /// Gives all places back: a mentor with a free one asks for nothing again, and others for that much less.
    pub(crate) fn reopen(&mut self, discount: P, bidders: &[u32]) {
        for mentor in 0..self.prices.count() {
            let places = self.shelves[mentor + 1].start - self.shelves[mentor].start;
            if places == 0 {
                continue;
            }
            let price = self.prices.price(mentor);
            let held = std::mem::take(&mut self.shelves[mentor].held);
            let is_free = held < places || price < discount;
            self.prices.set(mentor, if is_free { P::default() } else { price - discount });
        }
        self.bidders.clear();
        self.bidders.extend(bidders);
        self.away.clear();
    }

    /// Each mentor's bids.
    pub(crate) fn held(&self) -> impl Iterator<Item = &[Bid<P>]> + '_ {
        let bids = |&Shelf { start, held }: &Shelf| &self.bids[start as usize..(start + held) as usize];
        self.shelves[..self.prices.count()].iter().map(bids)
    }
}

/// Puts one bid more into a heap that ends before `hole`.
fn sift_up<P: Copy + Ord>(heap: &mut [Bid<P>], mut hole: usize, bid: Bid<P>) {
    while hole > 0 && bid.level < heap[(hole - 1) / 2].level {
        heap[hole] = heap[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    heap[hole] = bid;
}

/// Replaces the lowest bid of a full heap.
fn sift_down<P: Copy + Ord>(heap: &mut [Bid<P>], bid: Bid<P>) {
    let mut hole = 0;
    loop {
        let left = 2 * hole + 1;
        let right = left + 1;
        let child = if right < heap.len() && heap[right].level < heap[left].level { right } else { left };
        if child >= heap.len() || bid.level <= heap[child].level {
            break;
        }
        heap[hole] = heap[child];
        hole = child;
    }
    heap[hole] = bid;
}
