//! Reading, in turns: the log catches up, the peers catch up, and each races against its writers.

use eventlog::Appender;
use futures::future::try_join_all;

use crate::load::{Busy, Clock};
use crate::peers::{Peer, Race};
use crate::scale::Scale;
use crate::stage::{Log, Stage};
use crate::witness::Witness;
use crate::{callers, catch_up};
use bench::series::{Series, Target, heading, row};

/// How many write in a race.
const WRITERS: u32 = 16;
/// As many processes they would be: each has an appender and connections of its own.
const APPENDERS: usize = 4;

/// Each round begins anew, as a follower that has never followed.
const FOLLOWERS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];

/// What is read, and what was measured.
pub(crate) struct Reads {
    history: Log,
    projected: Log,
    raw: Series,
    raw_race: Race,
    projections: Series,
    one_by_one: Series,
    race: Race,
    peers: Vec<(Series, Race)>,
    rounds: usize,
    bounds: Vec<(&'static str, Busy)>,
}

impl Reads {
    /// The histories, written within the server.
    pub(crate) async fn prepare(stage: &Stage, scale: &Scale, peers: &[Peer]) -> anyhow::Result<Self> {
        let history = stage.log("history").await?;
        history.fill(0, scale.history).await?;
        let projected = stage.log("projected").await?;
        projected.fill(0, scale.projected).await?;
        catch_up::prepare(&projected).await?;
        Ok(Self {
            history,
            projected,
            raw: Series::default(),
            raw_race: Race::default(),
            projections: Series::default(),
            one_by_one: Series::default(),
            race: Race::default(),
            peers: peers.iter().map(|_| Default::default()).collect(),
            rounds: 0,
            bounds: Vec::new(),
        })
    }

    /// Everything once.
    pub(crate) async fn round(&mut self, stage: &Stage, scale: &Scale, peers: &[Peer]) -> anyhow::Result<()> {
        let name = FOLLOWERS[self.rounds % FOLLOWERS.len()];
        self.rounds += 1;
        self.bounds.clear();
        let clock = Clock::start(stage.postmaster())?;
        let (rate, missed) = catch_up::raw(&self.history, name).await?;
        self.bounds.push(("raw catch-up", clock.stop()?));
        self.raw.push(rate);
        self.raw_race = self.raw_race.and(missed);
        let clock = Clock::start(stage.postmaster())?;
        self.projections.push(catch_up::projected(&self.projected, name).await?);
        self.bounds.push(("catch-up with a projection", clock.stop()?));
        self.one_by_one.push(catch_up::one_by_one(&self.projected, scale.one_by_one).await?);
        self.race = self.race.and(run_race(stage, scale).await?);
        for (peer, (rates, race)) in peers.iter().zip(&mut self.peers) {
            rates.push(peer.catch_up(stage).await?);
            *race = race.and(peer.race(stage, WRITERS, scale.race).await?);
        }
        Ok(())
    }

    /// What each of the peers missed.
    pub(crate) fn missed(&self) -> Vec<Race> {
        self.peers.iter().map(|(_, race)| *race).collect()
    }

    /// Prints what was measured; the history goes on to be used.
    pub(crate) fn finish(self, peers: &[Peer]) -> (Log, Race) {
        heading("catch-up, decoded events per second");
        let best = self.peers.iter().map(|(rates, _)| rates.clone()).reduce(|best, rates| best.or(&rates));
        let ratio = best.map(|best| self.raw.to(&best));
        row("the log, raw : best peer", &self.raw, ratio.as_ref(), Some(Target::AtLeast(1.5)));
        for (peer, (rates, race)) in peers.iter().zip(&self.peers) {
            row(&peer.row("", *race), rates, None, None);
        }
        row("the log, one event and its checkpoint per transaction", &self.one_by_one, None, None);
        let ratio = self.projections.to(&self.one_by_one);
        row(
            "the log, with a projection : that",
            &self.projections,
            Some(&ratio),
            Some(Target::AtLeast(40.0)),
        );

        println!("\nwhat bounds the log's catch-up (last round)");
        for (work, busy) in &self.bounds {
            println!("{work:<30} {busy}");
        }

        println!("\nlost, twice, out of order, while 16 write");
        println!("{:<58} {}", "the log", self.race);
        for (peer, (_, race)) in peers.iter().zip(&self.peers) {
            println!("{:<58} {race}", format!("{} ({})", peer.name, peer.manner));
        }
        (self.history, self.race.and(self.raw_race))
    }
}

/// Reads while others write, in a log of its own.
async fn run_race(stage: &Stage, scale: &Scale) -> anyhow::Result<Race> {
    let log = stage.log("race").await?;
    let feed = log.feed();
    let witness = Witness::new("witness");
    feed.follow(log.service.clone(), witness.clone());
    let appenders: Vec<Appender> =
        (0..APPENDERS).map(|_| Appender::start(&log.appending(), &feed.wake(), &())).collect();
    let each = WRITERS as usize / APPENDERS;
    let writing = appenders.iter().map(|appender| callers::append(appender, each, scale.race, 1));
    let written: u64 = try_join_all(writing).await?.iter().map(|done| done.events).sum();
    feed.settle().await?;
    feed.drain().await;
    let stored = log.count().await?;
    anyhow::ensure!(stored == written, "{written} events are acknowledged and {stored} recorded");
    drop(log);
    stage.drop("race").await?;
    Ok(witness.race(stored))
}
