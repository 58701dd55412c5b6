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
    let mut falls = market.prices.clone();
    let standing: Vec<u32> = market.standing().collect();
    for executive in standing {
        let executive = executive as usize;
        relax(market, executive, market.penalty(executive), Value::ZERO, &mut falls, effort, |_, _| ());
    }
    // Most paths are no longer than where they begin: sorting those once is cheaper than queueing them.
    let mut starts: Vec<_> = (0..).zip(&falls).map(|(mentor, &fall)| Reverse((fall, mentor))).collect();
    starts.sort_unstable();
    let mut queue: BinaryHeap<Reverse<(Value, usize)>> = BinaryHeap::new();
    let mut settled = vec![false; falls.len()];
    loop {
        let next = if starts.last() > queue.peek() { starts.pop() } else { queue.pop() };
        let Some(Reverse((fall, mentor))) = next else { break };
        if std::mem::replace(&mut settled[mentor], true) {
            continue;
        }
        effort.mentors_settled += 1;
        if effort.mentors_settled % MENTORS_AT_ONCE == 0 {
            progress.report(Stage::Prices, queue.len())?;
        }
        for seated in market.seated(mentor) {
            let seated = seated as usize;
            let least = market.least(seated);
            relax(market, seated, least, fall, &mut falls, effort, |fall, mentor| {
                queue.push(Reverse((fall, mentor)));
            });
        }
    }
    for (price, fall) in market.prices.iter_mut().zip(falls) {
        *price = *price - fall;
    }
    Ok(())
}

/// Bounds the falls by what would make one executive move: who pays the least now, and that much less after the fall of
/// their own mentor's price.
fn relax(
    market: &Market,
    executive: usize,
    least: Value,
    fall: Value,
    falls: &mut [Value],
    effort: &mut Effort,
    mut lowered: impl FnMut(Value, usize),
) {
    let after = least - fall;
    for (mentor, loss) in market.rows.row(executive) {
        if market.measure.at_least(loss) >= after {
            break;
        }
        effort.pairs_relaxed += 1;
        let mentor = mentor as usize;
        let price = market.prices[mentor];
        if market.measure.at_least(loss) + price - after >= falls[mentor] {
            continue;
        }
        let bound = market.measure.pair(executive, mentor, loss) + price - after;
        if bound < falls[mentor] {
            falls[mentor] = bound;
            lowered(bound, mentor);
        }
    }
}
