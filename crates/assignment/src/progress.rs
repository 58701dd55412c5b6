//! Watching a long computation from another thread, and ending it.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::Relaxed};

/// What a running computation says of itself, and hears: share it by reference or in an `Arc`.
///
/// Cancelling takes effect when the computation looks next, which it does now and then between its steps. What it does at one go, such as
/// reading a large problem, is done first: that can take seconds.
#[derive(Debug, Default)]
pub struct Progress {
    cancelled: AtomicBool,
    stage: AtomicU8,
    left: AtomicU32,
}

/// The parts of a computation, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Executives bid for places at falling increments, which finds good prices.
    Auction,
    /// Executives without a seat are taken in one by one, by the cheapest chain of moves each.
    Admission,
    /// Free places that still have a price are offered one by one.
    Vacancies,
    /// Prices are lowered to the smallest that prove the optimum.
    Prices,
}

/// The computation was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the computation was cancelled")]
pub struct Cancelled;

impl Progress {
    /// Ends the computation that this is given to, now or when it begins.
    pub fn cancel(&self) {
        self.cancelled.store(true, Relaxed);
    }

    /// Whether it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Relaxed)
    }

    /// The part that is running, and how many executives, places or prices are left to it.
    #[must_use]
    pub fn now(&self) -> (Stage, u32) {
        let stage = match self.stage.load(Relaxed) {
            0 => Stage::Auction,
            1 => Stage::Admission,
            2 => Stage::Vacancies,
            _ => Stage::Prices,
        };
        (stage, self.left.load(Relaxed))
    }

    /// Says where the computation is; an error if it is to end.
    pub(crate) fn report(&self, stage: Stage, left: usize) -> Result<(), Cancelled> {
        self.stage.store(stage as u8, Relaxed);
        self.left.store(u32::try_from(left).unwrap_or(u32::MAX), Relaxed);
        self.check()
    }

    pub(crate) fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

/// What a computation took, in steps that do not depend on the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Bids made in auctions.
    pub bids: u64,
    /// Pairs read for those bids.
    pub pairs_bid_for: u64,
    /// Shortest paths searched.
    pub paths: u64,
    /// Mentors that those searches went through.
    pub mentors_settled: u64,
    /// Pairs read in those searches, and to find the smallest prices.
    pub pairs_relaxed: u64,
}
