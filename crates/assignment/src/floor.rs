//! The smallest prices that prove the same optimum.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::market::{Market, NOBODY};
use crate::progress::{Cancelled, Effort, Progress, Stage};
use crate::rows::Rows;
use crate::value::{Measure, Value};

/// Mentors between two looks at whether the computation is cancelled.
const MENTORS_AT_ONCE: u64 = 1_024;
/// How many mentors ahead the rows of executives are fetched: the waits for memory overlap.
const FETCHED_AHEAD: usize = 8;

/// Lowers the prices of an optimal market to the smallest that prove its optimum.
///
/// A price cannot fall below zero, nor so far that an executive without a seat would come, or one from another mentor
/// would at that one's own smallest price. So the smallest prices are the least solution of these conditions: they begin
/// at zero and rise until all are fulfilled. A price is as final as the amount by which it falls is small, for that is the
/// length of a shortest path over reduced costs; so those that fall least pass their conditions on first. That order only
/// saves work, because whatever rises later passes it on again; so it may be rough.
pub(crate) fn lower(market: &mut Market<'_>, progress: &Progress, effort: &mut Effort) -> Result<(), Cancelled> {
    let mut floor = vec![Value::ZERO; market.mentors()];
    for executive in market.standing() {
        let after = market.claims[executive as usize].penalty();
        relax((&mut market.rows, &market.measure), (executive, after), &mut floor, effort, |_, _| ());
    }
    stay_free(market, &mut floor, effort);
    let order = |prices: &[Value], floor: &[Value], mentor: u32| {
        let fall = prices[mentor as usize] - floor[mentor as usize];
        Reverse((fall.rough(), mentor))
    };
    let asked = (0_u32..).zip(&market.prices).filter(|(_, price)| **price > Value::ZERO);
    let mut starts: Vec<_> = asked.map(|(mentor, _)| order(&market.prices, &floor, mentor)).collect();
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
            relax((rows, measure), (executive, after), &mut floor, effort, |floor, mentor| {
                queue.push(order(prices, floor, mentor));
            });
        }
    }
    market.prices = floor;
    Ok(())
}

/// Passes on the conditions of those who sit where the price is zero already.
fn stay_free(market: &mut Market<'_>, floor: &mut [Value], effort: &mut Effort) {
    for executive in (0..).take(market.executives()) {
        let seat = market.seat_of(executive as usize);
        let is_free = seat.mentor != NOBODY && market.prices[seat.mentor as usize] == Value::ZERO;
        if is_free && !seat.locked {
            let after = market.paid(executive as usize);
            relax((&mut market.rows, &market.measure), (executive, after), floor, effort, |_, _| ());
        }
    }
}

/// Raises the prices at which one executive would come who pays `after` where they sit.
#[inline]
fn relax(
    (rows, measure): (&mut Rows<'_>, &Measure),
    (executive, after): (u32, Value),
    floor: &mut [Value],
    effort: &mut Effort,
    mut raised: impl FnMut(&[Value], u32),
) {
    for (mentor, loss) in rows.scan(executive as usize) {
        let for_free = measure.at_least(loss);
        if for_free >= after {
            break;
        }
        effort.pairs_relaxed += 1;
        let price = floor[mentor as usize];
        if for_free + price >= after {
            continue;
        }
        let lowest = after - measure.pair(executive as usize, mentor as usize, loss);
        if lowest > price {
            floor[mentor as usize] = lowest;
            raised(floor, mentor);
        }
    }
}
