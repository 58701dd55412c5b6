//! The start from nothing: everybody at their best place if these are plenty, or else an auction in whole points of score,
//! then rounds in exact costs.

use crate::auction::{Auction, Valuation};
use crate::market::{Claim, Market};
use crate::prices::Prices;
use crate::problem::SCORE_MAX;
use crate::progress::{Cancelled, Effort, Progress, Stage};
use crate::value::{Measure, Value};

/// The auction's phases in points of score: the increment of every bid, and what falls off the prices afterwards. Prices
/// that are too high cost a path each in the end, prices that are too low are soon bid up again.
const PHASES: [(i32, i32); 5] = [(2_000, 8_000), (250, 1_000), (31, 124), (4, 64), (1, 0)];
/// What a pair below a band costs in the auction, in points; the exact part counts people instead.
const BAND_POINTS: i32 = 20_000;
/// What leaving costs in the auction, in points: low enough that a shortage does not drive prices for long.
const LEAVING_POINTS: i32 = 200_000;
/// The auction is left out if all but one executive in so many find their best place free.
const FEW: usize = 5;
/// How many bids may follow from one in the exact round, and how many rounds there are.
const CHAIN: usize = 32;
const ROUNDS: usize = 3;

/// Seats as many as an auction can at prices at which nobody envies anybody; returns who is left.
pub(crate) fn auction(
    market: &mut Market<'_>,
    progress: &Progress,
    effort: &mut Effort,
) -> Result<Vec<u32>, Cancelled> {
    let bidders: Vec<u32> = market.standing().into_iter().rev().collect();
    progress.report(Stage::Auction, bidders.len())?;
    if let Some(left) = take_the_best(market, &bidders) {
        return Ok(left);
    }
    let starts = starts(market);
    let mut prices = rough_prices(market, &starts, &bidders, (progress, effort))?;
    // Nobody may come where there is no place, whatever the goal.
    let closed = (0..market.mentors()).filter(|&mentor| market.places(mentor) == 0);
    closed.for_each(|mentor| prices.set(mentor, Value::CLOSED));
    let Market { rows, measure, claims, .. } = market;
    let exact = Exact { measure, claims };
    let mut auction = Auction::open(starts, prices, bidders);
    for _ in 0..ROUNDS {
        auction.round((rows, &exact), CHAIN, (progress, effort))?;
    }
    for (mentor, bids) in (0..).zip(auction.held()) {
        for bid in bids {
            market.seat(bid.executive, mentor, bid.loss);
        }
    }
    market.prices = auction.prices;
    auction.bidders.append(&mut auction.away);
    Ok(auction.bidders)
}

/// The sums of the places before each mentor, of no more places than can be taken.
fn starts(market: &Market<'_>) -> Vec<u32> {
    let offered = (0..market.mentors()).map(|mentor| u64::from(market.places(mentor))).sum::<u64>();
    let most = if offered <= market.rows.pairs() { Vec::new() } else { candidates(market) };
    let mut sum = 0;
    let places = (0..market.mentors()).map(|mentor| {
        sum += market.places(mentor).min(most.get(mentor).copied().unwrap_or(u32::MAX));
        sum
    });
    std::iter::once(0).chain(places).collect()
}

/// Per mentor, the number of executives who may come.
fn candidates(market: &Market<'_>) -> Vec<u32> {
    let mut candidates = vec![0; market.mentors()];
    for executive in 0..market.executives() {
        for (mentor, _) in market.rows.row(executive) {
            candidates[mentor as usize] += 1;
        }
    }
    candidates
}

/// Seats whoever finds their best place free, while nobody asks for anything, and returns who is left, if these are few.
fn take_the_best(market: &mut Market<'_>, bidders: &[u32]) -> Option<Vec<u32>> {
    let mut left = Vec::new();
    for &executive in bidders {
        let best = best_for_free(market, executive as usize);
        match best.filter(|&(mentor, _)| market.has_free_place(mentor as usize)) {
            Some((mentor, loss)) => _ = market.seat(executive, mentor, loss),
            None => left.push(executive),
        }
    }
    if left.len() * FEW < bidders.len() {
        return Some(left);
    }
    for &executive in bidders {
        market.stand_up(executive);
    }
    None
}

/// The mentor an executive would go to if nobody asked for anything; who costs as much but for the tie-break is compared.
fn best_for_free(market: &mut Market<'_>, executive: usize) -> Option<(u32, u16)> {
    let mut scan = market.rows.scan(executive);
    let (first, second) = (scan.next()?, scan.next());
    if second.is_some_and(|second| second.1 == first.1) {
        market.best_of_row(executive).1
    } else {
        Some(first)
    }
}

/// Prices by an auction that knows nothing smaller than a point.
fn rough_prices(
    market: &mut Market<'_>,
    starts: &[u32],
    bidders: &[u32],
    (progress, effort): (&Progress, &mut Effort),
) -> Result<Prices, Cancelled> {
    let rough = Rough::new(&market.measure);
    let at_first = |mentor| if market.places(mentor) == 0 { LEAVING_POINTS } else { 0 };
    let prices: Vec<i32> = (0..market.mentors()).map(at_first).collect();
    let mut auction = Auction::open(starts.to_vec(), prices, bidders.to_vec());
    for (increment, discount) in PHASES {
        auction.run((&mut market.rows, &rough), increment, (progress, effort))?;
        auction.reopen(discount, bidders);
    }
    let price = |points| market.measure.price(points, BAND_POINTS);
    Ok(auction.prices.into_iter().map(price).collect::<Vec<_>>().into())
}

/// All goals in their order.
struct Exact<'a> {
    measure: &'a Measure,
    claims: &'a [Claim],
}

impl Valuation for Exact<'_> {
    type Price = Value;

    #[inline]
    fn points_enough(cost: Value) -> i32 {
        cost.points_enough()
    }

    #[inline]
    fn at_least(&self, loss: u16) -> Value {
        self.measure.at_least(loss)
    }

    #[inline]
    fn pair(&self, executive: usize, mentor: usize, loss: u16) -> Value {
        self.measure.pair(executive, mentor, loss)
    }

    #[inline]
    fn leaving(&self, executive: usize) -> Value {
        self.claims[executive].penalty()
    }
}

/// Points of score, with what is worse than points as many points.
struct Rough {
    /// The least loss below a band.
    unfair: u16,
    points: Vec<i32>,
}

impl Rough {
    fn new(measure: &Measure) -> Self {
        let points = |loss| i32::from(loss) + BAND_POINTS * i32::from(measure.bands_below(loss));
        let is_unfair = |loss: &u16| measure.bands_below(*loss) > 0;
        let unfair = (0..=SCORE_MAX).find(is_unfair).unwrap_or(SCORE_MAX + 1);
        Self { unfair, points: (0..=SCORE_MAX).map(points).collect() }
    }
}

impl Valuation for Rough {
    type Price = i32;

    #[inline]
    fn points_enough(cost: i32) -> i32 {
        cost
    }

    #[inline]
    fn at_least(&self, loss: u16) -> i32 {
        if loss < self.unfair {
            return i32::from(loss);
        }
        self.points.get(usize::from(loss)).copied().unwrap_or(LEAVING_POINTS)
    }

    #[inline]
    fn pair(&self, _executive: usize, _mentor: usize, loss: u16) -> i32 {
        self.at_least(loss)
    }

    #[inline]
    fn leaving(&self, _executive: usize) -> i32 {
        LEAVING_POINTS
    }
}
