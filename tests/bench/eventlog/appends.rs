//! Appending, in turns: pgbench, the log, the peers.

use anyhow::ensure;
use eventlog::{Appender, Feed};

use crate::callers;
use crate::load::{Clock, Mark};
use crate::peers::{Peer, Race};
use crate::pgbench::BATCH;
use crate::scale::Scale;
use crate::stage::{Log, Stage};
use bench::series::{Series, Target, heading, row, row_of_times};

/// How many callers the appender is given.
const CALLERS: usize = 256;
/// The clients of pgbench.
const CLIENTS: [u32; 3] = [1, 8, 32];
/// The callers and clients of the batches.
const BATCH_CALLERS: u32 = 32;

/// What is appended to, and what was measured.
pub(crate) struct Appends {
    log: Log,
    feed: Feed,
    appender: Appender,
    inserts: [Series; CLIENTS.len()],
    insert_time: Series,
    insert_batches: Series,
    singles: Series,
    one_time: Series,
    batches: Series,
    bounds: Vec<(&'static str, String)>,
    peers: Vec<[Series; 2]>,
}

impl Appends {
    /// A log, and beside it a table that is like the log's own in all but its name.
    pub(crate) async fn prepare(stage: &Stage, peers: &[Peer]) -> anyhow::Result<Self> {
        let log = stage.log("appended").await?;
        sqlx::query("create table bare (like eventlog.events including all)").execute(&log.owner).await?;
        let feed = log.feed();
        let appender = Appender::start(&log.appending(), &feed.wake(), &());
        Ok(Self {
            log,
            feed,
            appender,
            inserts: Default::default(),
            insert_time: Series::default(),
            insert_batches: Series::default(),
            singles: Series::default(),
            one_time: Series::default(),
            batches: Series::default(),
            bounds: Vec::new(),
            peers: peers.iter().map(|_| Default::default()).collect(),
        })
    }

    /// The database with the table of the limit.
    pub(crate) fn limit(&self) -> &str {
        self.log.name()
    }

    /// Everything once.
    pub(crate) async fn round(&mut self, stage: &Stage, scale: &Scale, peers: &[Peer]) -> anyhow::Result<()> {
        let (pgbench, time) = (stage.pgbench(), scale.append);
        self.bounds.clear();
        for (series, clients) in self.inserts.iter_mut().zip(CLIENTS) {
            let run = pgbench.insert(self.log.name(), clients, time).await?;
            series.push(run.rate);
            if clients == 1 {
                self.insert_time.push_time(run.median);
            }
        }
        let (rate, _) = self.append(stage, scale, CALLERS, 1, "single events, 256 callers").await?;
        self.singles.push(rate);
        let (_, time_of_one) = self.append(stage, scale, 1, 1, "single events, 1 caller").await?;
        self.one_time.push(time_of_one);

        let run = pgbench.insert_batch(self.log.name(), BATCH_CALLERS, time).await?;
        self.insert_batches.push(run.rate * f64::from(BATCH));
        let (rate, _) = self
            .append(stage, scale, BATCH_CALLERS as usize, BATCH as usize, "batches of 100, 32 callers")
            .await?;
        self.batches.push(rate);

        for (peer, series) in peers.iter().zip(&mut self.peers) {
            for (series, clients) in series.iter_mut().zip([1, 32]) {
                series.push(peer.append(stage, clients, time).await?);
            }
        }
        Ok(())
    }

    /// The rate and, in milliseconds, the median time of an append.
    async fn append(
        &mut self,
        stage: &Stage,
        scale: &Scale,
        callers: usize,
        events: usize,
        work: &'static str,
    ) -> anyhow::Result<(f64, f64)> {
        let mark = Mark::set(&self.log.owner).await?;
        let clock = Clock::start(stage.postmaster())?;
        let mut done = callers::append(&self.appender, callers, scale.append, events).await?;
        let busy = clock.stop()?;
        let recorded = mark.since(&self.log.owner).await?;
        let (acknowledged, stored) = (done.events, recorded.events);
        ensure!(acknowledged == stored, "{acknowledged} events are acknowledged and {stored} recorded");
        self.bounds.push((work, recorded.said(&busy)));
        Ok((done.rate(), done.median().as_secs_f64() * 1000.0))
    }

    /// Prints what was measured, and with each peer what it missed.
    pub(crate) async fn finish(self, peers: &[Peer], missed: &[Race]) {
        self.feed.drain().await;
        let best = self.inserts.iter().fold(self.inserts[0].clone(), |best, series| best.or(series));
        heading("appends, events per second");
        for (series, clients) in self.inserts.iter().zip(CLIENTS) {
            row(&format!("pgbench, bare insert, {clients} clients"), series, None, None);
        }
        let ratio = self.singles.to(&best);
        row("the log, 256 callers : pgbench's best", &self.singles, Some(&ratio), Some(Target::AtLeast(2.0)));
        row("pgbench, batches of 100, 32 clients", &self.insert_batches, None, None);
        let ratio = self.batches.to(&self.insert_batches);
        row(
            "the log, batches of 100, 32 callers : pgbench",
            &self.batches,
            Some(&ratio),
            Some(Target::AtLeast(0.85)),
        );
        for ((peer, race), [one, many]) in peers.iter().zip(missed).zip(&self.peers) {
            row(&peer.row(", 1 client", *race), one, Some(&one.to(&best)), None);
            row(&peer.row(", 32 clients", *race), many, Some(&many.to(&best)), None);
        }

        heading("one caller, milliseconds");
        row_of_times("pgbench, 1 client, median", &self.insert_time, None, None);
        let ratio = self.one_time.to(&self.insert_time);
        row_of_times(
            "the log, 1 caller, median : pgbench",
            &self.one_time,
            Some(&ratio),
            Some(Target::AtMost(1.3)),
        );

        println!("\nwhat bounds the log's appends (last round)");
        for (work, bound) in &self.bounds {
            println!("{work:<30} {bound}");
        }
    }
}
