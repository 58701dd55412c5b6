//! How much is measured.

use std::env;
use std::time::Duration;

use anyhow::{Context, ensure};

/// Makes every work shorter, for a first look.
const SHORT: &str = "UPDRAFT_BENCH_SHORT";
/// Up to how many events the log grows at the end; no more than the history, and it does not grow.
const GROWTH: &str = "UPDRAFT_BENCH_GROWTH";
/// How often everything is measured.
const REPEATS: &str = "UPDRAFT_BENCH_REPEATS";

/// The sizes of the works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// How often everything is measured, in turns.
    pub(crate) repeats: usize,
    /// How long one work appends.
    pub(crate) append: Duration,
    /// How long writers and a reader race.
    pub(crate) race: Duration,
    /// How long events are appended at a fixed rate.
    pub(crate) steady: Duration,
    /// Events of the raw catch-up.
    pub(crate) history: u64,
    /// Events of the catch-up with a projection.
    pub(crate) projected: u64,
    /// Events that are projected one by one.
    pub(crate) one_by_one: u64,
    /// Events that a peer catches up on; a slow one on fewer.
    pub(crate) peer_history: u64,
    /// Events the log has in the end.
    pub(crate) growth: u64,
}

impl Scale {
    /// The sizes that the environment asks for.
    pub(crate) fn from_env() -> anyhow::Result<Self> {
        let mut scale = if env::var_os(SHORT).is_some() { Self::short() } else { Self::full() };
        if let Some(growth) = number(GROWTH)? {
            scale.growth = growth;
        }
        if let Some(repeats) = number(REPEATS)? {
            ensure!(repeats > 0, "{REPEATS} is at least 1");
            scale.repeats = usize::try_from(repeats)?;
        }
        Ok(scale)
    }

    fn full() -> Self {
        Self {
            repeats: 5,
            append: Duration::from_secs(2),
            race: Duration::from_secs(3),
            steady: Duration::from_secs(8),
            history: 1_000_000,
            projected: 200_000,
            one_by_one: 1_000,
            peer_history: 200_000,
            growth: 20_000_000,
        }
    }

    fn short() -> Self {
        Self {
            repeats: 2,
            append: Duration::from_secs(1),
            race: Duration::from_secs(2),
            history: 200_000,
            projected: 100_000,
            one_by_one: 300,
            peer_history: 40_000,
            growth: 2_000_000,
            ..Self::full()
        }
    }
}

fn number(name: &str) -> anyhow::Result<Option<u64>> {
    let Some(text) = env::var_os(name) else { return Ok(None) };
    let text = text.to_string_lossy();
    Ok(Some(text.parse().with_context(|| format!("{name}={text} is no number"))?))
}
