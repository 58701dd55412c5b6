//! The smallest prices that prove the same optimum.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::market::Market;
use crate::progress::{Cancelled, Effort, Progress, Stage};
use crate::value::Value;

/// Mentors between two looks at whether the computation is cancelled.
const MENTORS_AT_ONCE: u64 = 1_024;

/// Lowers the prices of an optimal market to the smallest that prove its optimum.
///
/// A price may fall until it is zero, or an executive without a seat would come, or one from another mentor would: that
/// one's own price may fall too, and lets this one fall further. So the amount by which a price can fall is the length of
/// a shortest path from zero and from those without a seat, over reduced costs.
pub(crate) fn lower(market: &mut Market, progress: &Progress, effort: &mut Effort) -> Result<(), Cancelled> {
    let mut asks: Vec<Ask> = market.prices.iter().map(|&price| Ask { price, fall: price }).collect();
    for executive in market.standing() {
        relax(market, executive, market.penalty(executive as usize), &mut asks, effort, |_, _| ());
    }
    // Most paths are no longer than where they begin: sorting those once is cheaper than queueing them.
    let mut starts: Vec<_> = (0_u32..).zip(&asks).map(|(mentor, ask)| Reverse((ask.fall, mentor))).collect();
    starts.sort_unstable();
    let mut queue: BinaryHeap<Reverse<(Value, u32)>> = BinaryHeap::new();
    let mut settled = vec![false; asks.len()];
    loop {
        let next = if starts.last() > queue.peek() { starts.pop() } else { queue.pop() };
        let Some(Reverse((fall, mentor))) = next else { break };
        if std::mem::replace(&mut settled[mentor as usize], true) {
            continue;
        }
        effort.mentors_settled += 1;
        if effort.mentors_settled.is_multiple_of(MENTORS_AT_ONCE) {
            progress.report(Stage::Prices, starts.len())?;
        }
        let price = asks[mentor as usize].price - fall;
        for executive in market.seated(mentor as usize) {
            let after = market.paid(executive as usize) + price;
            relax(market, executive, after, &mut asks, effort, |fall, mentor| {
                queue.push(Reverse((fall, mentor)));
            });
        }
    }
    for (price, ask) in market.prices.iter_mut().zip(asks) {
        *price = ask.price - ask.fall;
    }
    Ok(())
}

/// The price of a mentor, and by how much it can fall as far as is known.
#[derive(Clone, Copy, Debug)]
struct Ask {
    price: Value,
    fall: Value,
}

/// Bounds the falls by what would make one executive move, who pays `after` when their own mentor's price has fallen.
fn relax(
    market: &Market,
    executive: u32,
    after: Value,
    asks: &mut [Ask],
    effort: &mut Effort,
    mut lowered: impl FnMut(Value, u32),
) {
    for (mentor, loss) in market.rows.row(executive as usize) {
        let for_free = market.measure.at_least(loss);
        if for_free >= after {
            break;
        }
        effort.pairs_relaxed += 1;
        let ask = &mut asks[mentor as usize];
        let above = ask.price - after;
        if for_free + above >= ask.fall {
            continue;
        }
        let bound = market.measure.pair(executive as usize, mentor as usize, loss) + above;
        if bound < ask.fall {
            ask.fall = bound;
            lowered(bound, mentor);
        }
    }
}
