//! The event log beside the limit of its server and beside its peers.
//!
//! Everything runs on one private Postgres with fsync on, in turns, and is repeated; printed are median and best. A
//! ratio is the median of the ratios within the rounds: what burdens the machine for a while burdens both sides.
//! `UPDRAFT_BENCH_SHORT=1` takes minutes less, `UPDRAFT_BENCH_GROWTH=5000000` lets the log grow to fewer events, and
//! `UPDRAFT_BENCH_REPEATS=1` measures once.

mod appends;
mod callers;
mod catch_up;
mod event;
mod growth;
mod load;
mod peers;
mod pgbench;
mod reads;
mod scale;
mod stage;
mod steady;
mod witness;

use std::path::Path;

use crate::appends::Appends;
use crate::load::Clock;
use crate::peers::Race;
use crate::reads::Reads;
use crate::scale::Scale;
use crate::stage::{Log, Stage};
use bench::series::{Series, Target, heading_of_delays, row_of_delays};

fn main() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("updraft-bench-{}", std::process::id()));
    let measured = tokio::runtime::Runtime::new()?.block_on(measure(&folder));
    std::fs::remove_dir_all(&folder)?;
    measured
}

async fn measure(folder: &Path) -> anyhow::Result<()> {
    let scale = Scale::from_env()?;
    let peers = peers::installed(&scale);
    let stage = Stage::set(folder).await?;
    println!("{scale:?}, {}", machine()?);
    let mut appends = Appends::prepare(&stage, &peers).await?;
    let mut reads = Reads::prepare(&stage, &scale, &peers).await?;
    for peer in &peers {
        peer.prepare(&stage).await?;
    }
    let mut steady = Delays::prepare(&stage).await?;
    for round in 1..=scale.repeats {
        println!("round {round} of {}", scale.repeats);
        appends.round(&stage, &scale, &peers).await?;
        reads.round(&stage, &scale, &peers).await?;
        steady.round(&stage, &scale).await?;
    }
    let limit = appends.limit().to_owned();
    appends.finish(&peers, &reads.missed()).await;
    let (history, raced) = reads.finish(&peers);
    let delayed = steady.finish();
    println!("\nthe log in every run: {}", raced.and(delayed));
    growth::run(&stage, &scale, &limit, &history).await?;
    stage.clear().await;
    Ok(())
}

/// From an answer to the consumers.
struct Delays {
    log: Log,
    median: Series,
    p99: Series,
    excess: Series,
    slowest: Series,
    race: Race,
    bound: String,
}

impl Delays {
    async fn prepare(stage: &Stage) -> anyhow::Result<Self> {
        let log = stage.log("steady").await?;
        let [median, p99, excess, slowest] = <[Series; 4]>::default();
        Ok(Self { log, median, p99, excess, slowest, race: Race::default(), bound: String::new() })
    }

    async fn round(&mut self, stage: &Stage, scale: &Scale) -> anyhow::Result<()> {
        let clock = Clock::start(stage.postmaster())?;
        let quiet = steady::run(&self.log, scale.steady, false).await?;
        self.bound = clock.stop()?.to_string();
        self.median.push_time(quiet.percentile(50));
        self.p99.push_time(quiet.percentile(99));
        let disturbed = steady::run(&self.log, steady::UNRELATED, true).await?;
        self.excess.push_time(disturbed.excess);
        self.slowest.push_time(disturbed.slowest);
        self.race = self.race.and(quiet.race).and(disturbed.race);
        Ok(())
    }

    fn finish(self) -> Race {
        heading_of_delays("answer → five consumers at 2,000 per second, milliseconds");
        row_of_delays("p50", &self.median, None);
        row_of_delays("p99", &self.p99, Some((self.p99.median(), Target::AtMost(30.0))));
        row_of_delays("slowest append during a 5 s unrelated write", &self.slowest, None);
        let worst = self.excess.max();
        row_of_delays("delay beyond that append", &self.excess, Some((worst, Target::AtMost(100.0))));
        println!("{:<58} {}", "meanwhile (last round)", self.bound);
        self.race
    }
}

/// How many processors there are, and how busy others keep them.
fn machine() -> anyhow::Result<String> {
    let processors = std::thread::available_parallelism()?;
    let load = std::fs::read_to_string("/proc/loadavg")?;
    Ok(format!("{processors} processors, load {}", load.split(' ').next().unwrap_or_default()))
}
