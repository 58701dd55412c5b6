//! The smallest prices that prove the same optimum.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::market::{Claim, Market, NOBODY};
use crate::prices::Prices;
use crate::progress::{Cancelled, Effort, Progress, Stage};
use crate::rows::Rows;
use crate::value::{Measure, Value};

/// Mentors between two looks at whether the computation is cancelled.
const MENTORS_AT_ONCE: u64 = 1_024;
/// How many mentors ahead the rows of executives are fetched: the waits for memory overlap.
const FETCHED_AHEAD: usize = 8;

/// The smallest prices that prove the optimum of an optimal market.
///
/// A price cannot fall below zero, nor so far that an executive without a seat would come, or one from another mentor
/// would at that one's own smallest price. So the smallest prices are the least solution of these conditions: they begin
/// at zero and rise until all are fulfilled. A price is as final as the amount by which it falls is small, for that is the
/// length of a shortest path over reduced costs; so those that fall least pass their conditions on first. That order only
/// saves work, because whatever rises later passes it on again; so it may be rough.
pub(crate) fn lowest(
    market: &mut Market<'_>,
    progress: &Progress,
    effort: &mut Effort,
) -> Result<Prices, Cancelled> {
    let mut floor = Prices::zero(market.mentors());
    let risen = from_nothing(market, &mut floor, effort);
    let order = |prices: &Prices, floor: &Prices, mentor: u32| {
        let fall = prices[mentor as usize] - floor[mentor as usize];
        Reverse((fall.rough(), mentor))
    };
    let risen = risen.into_iter();
    let mut starts: Vec<_> = risen.map(|mentor| order(&market.prices, &floor, mentor)).collect();
    // Most prices rise no more than once: sorting all is cheaper than queueing them.
    starts.sort_unstable();
    let mut queue = BinaryHeap::new();
    loop {
        let next = if starts.last() > queue.peek() { starts.pop() } else { queue.pop() };
        let Some(next @ Reverse((_, mentor))) = next else { break };
        let soon = starts.len().checked_sub(FETCHED_AHEAD).and_then(|soon| starts.get(soon));
        if let Some(soon) = soon.and_then(|Reverse((_, soon))| market.first_seated(*soon as usize)) {
            market.rows.fetch(soon as usize);
        }
        if next != order(&market.prices, &floor, mentor) {
            continue;
        }
        effort.mentors_settled += 1;
        if effort.mentors_settled.is_multiple_of(MENTORS_AT_ONCE) {
            progress.report(Stage::Prices, starts.len())?;
        }
        let mut seated = market.first_seated(mentor as usize);
        while let Some(executive) = seated {
            seated = market.next_seated(executive);
            let after = market.paid(executive as usize) + floor[mentor as usize];
            let Market { rows, measure, prices, .. } = &mut *market;
            relax((rows, measure), (executive, mentor, after), &mut floor, effort, |floor, mentor, _| {
                queue.push(order(prices, floor, mentor));
            });
        }
    }
    Ok(floor)
}

/// Passes on everybody's conditions at the prices they begin with, in the order of the memory, and returns the mentors whose
/// price has risen; where it stays zero, that is all there is to do.
fn from_nothing(market: &mut Market<'_>, floor: &mut Prices, effort: &mut Effort) -> Vec<u32> {
    let mut risen = Vec::new();
    for executive in (0..).take(market.executives()) {
        let seat = market.seat_of(executive as usize);
        if seat.locked || market.claim(executive as usize) == Claim::Gone {
            continue;
        }
        // Who sits at the best there is, even for free, would never come to anybody else.
        let other = market.rows.scan(executive as usize).find(|other| other.0 != seat.mentor);
        if seat.mentor != NOBODY && other.is_none_or(|other| other.1 > seat.loss) {
            continue;
        }
        let person = (executive, seat.mentor, market.paid(executive as usize));
        relax((&mut market.rows, &market.measure), person, floor, effort, |_, mentor, before| {
            risen.extend((before == Value::ZERO).then_some(mentor));
        });
    }
    risen
}

/// Raises the prices at which one executive would come who pays `after` where they sit; calls back with each mentor and the
/// price before.
#[inline]
fn relax(
    (rows, measure): (&mut Rows<'_>, &Measure),
    (executive, own, after): (u32, u32, Value),
    floor: &mut Prices,
    effort: &mut Effort,
    mut raised: impl FnMut(&Prices, u32, Value),
) {
    let enough = after.points_enough();
    for (mentor, loss) in rows.scan(executive as usize) {
        let points = i32::from(loss);
        if points >= enough || measure.at_least(loss) >= after {
            break;
        }
        effort.pairs_relaxed += 1;
        if mentor == own || points + floor.points(mentor as usize) >= enough {
            continue;
        }
        let lowest = after - measure.pair(executive as usize, mentor as usize, loss);
        let before = floor[mentor as usize];
        if lowest > before {
            floor.set(mentor as usize, lowest);
            raised(floor, mentor, before);
        }
    }
}
