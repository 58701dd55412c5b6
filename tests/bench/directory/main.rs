//! The directory beside the limit of its server: a company of 100,000 pushed by gRPC, on a private Postgres with fsync on.
//!
//! Everything is repeated on a fresh database; a ratio is the median of the ratios within the rounds.
//! `UPDRAFT_BENCH_PEOPLE=10000` takes a smaller company, `UPDRAFT_BENCH_REPEATS=1` measures once.

mod company;
mod copy;
mod push;
mod stage;

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bench::series::{Series, Target, heading, heading_of_delays, row, row_of_delays};
use proto::hris::SyncMode;

use crate::company::{Company, manager, worker};
use crate::stage::{Server, Stage};

/// Workers of a delta.
const DELTA: u64 = 1000;

fn main() -> anyhow::Result<()> {
    let _telemetry =
        telemetry::start(&telemetry::Config { log_filter: "warn".to_owned(), log_format: None }, "bench")?;
    let folder = std::env::temp_dir().join(format!("updraft-bench-{}", std::process::id()));
    let measured = tokio::runtime::Runtime::new()?.block_on(measure(&folder));
    std::fs::remove_dir_all(&folder)?;
    measured
}

async fn measure(folder: &std::path::Path) -> anyhow::Result<()> {
    let company = Company { people: number("UPDRAFT_BENCH_PEOPLE", 100_000)? };
    let repeats = number("UPDRAFT_BENCH_REPEATS", 3)?;
    let server = Server::start(folder).await?;
    let mut measures = Measures::default();
    for round in 1..=repeats {
        println!("round {round} of {repeats}, {} people", company.people);
        let stage = server.stage(&format!("round_{round}")).await?;
        measures.round(&stage, company).await?;
        stage.clear().await;
    }
    measures.print();
    server.stop().await;
    Ok(())
}

fn number(name: &str, default: u64) -> anyhow::Result<u64> {
    let Some(text) = std::env::var_os(name) else { return Ok(default) };
    let text = text.to_string_lossy();
    text.parse().with_context(|| format!("{name}={text} is no number"))
}

#[derive(Default)]
struct Measures {
    copied: Series,
    copied_all: Series,
    first: Series,
    again: Series,
    delta: Series,
    settled: Series,
    reorganised: Series,
    watched: Series,
    memory: Series,
}

impl Measures {
    async fn round(&mut self, stage: &Stage, company: Company) -> anyhow::Result<()> {
        let people = company.people;
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 52 bits")]
        let rate = |time: Duration| people as f64 / time.as_secs_f64();
        let (watched, first) = tokio::join!(push::watch(stage, people), async {
            let pushed = push::run(stage, SyncMode::FullSnapshot, people, company.workers(1)).await;
            pushed.map(|pushed| (pushed, Instant::now()))
        });
        let (first, ended) = first?;
        ensure!(first.stats.created == i64::try_from(people)?, "{:?}", first.stats);
        self.first.push(rate(first.time));
        self.watched.push_time(watched?.saturating_duration_since(ended));
        let grown = first.memory.last().zip(first.memory.get(first.memory.len() / 5));
        self.memory.push(grown.map_or(f64::NAN, |(last, early)| last - early));
        stage.settle().await?;
        self.copied.push(rate(copy::run(stage, &copy::SAID).await?));
        self.copied_all.push(rate(copy::run(stage, &copy::ANSWERED).await?));

        let before = stage.events().await?;
        let again = push::run(stage, SyncMode::FullSnapshot, people, company.workers(1)).await?;
        ensure!(again.stats.unchanged == i64::try_from(people)?, "{:?}", again.stats);
        ensure!(stage.events().await? == before, "an unchanged snapshot wrote events");
        self.again.push(rate(again.time));

        self.delta(stage, company).await?;
        self.reorganise(stage, company).await
    }

    /// New titles for some, which is no event, and new superiors for others, which is one.
    async fn delta(&mut self, stage: &Stage, company: Company) -> anyhow::Result<()> {
        let changed = (0..DELTA).map(move |at| {
            let person = company.people - 1 - at * 7 % company.people;
            let mut record = worker(person, 2);
            if at % 2 == 0 {
                record.job_title.push_str(", senior");
            } else {
                record.manager_external_id = worker(manager(person).unwrap_or(0), 1).manager_external_id;
            }
            record
        });
        let pushed = push::run(stage, SyncMode::Delta, DELTA, changed).await?;
        ensure!(pushed.stats.updated == i64::try_from(DELTA)?, "{:?}", pushed.stats);
        self.delta.push_time(pushed.time);
        let answered = Instant::now();
        stage.settle().await?;
        self.settled.push_time(answered.elapsed());
        Ok(())
    }

    /// One of the head's reports hands everybody below over to another.
    async fn reorganise(&mut self, stage: &Stage, company: Company) -> anyhow::Result<()> {
        let (from, to) = (1, 2);
        let moved: Vec<_> = (0..company.people)
            .filter(|person| manager(*person) == Some(from))
            .map(|person| {
                let mut record = worker(person, 3);
                record.manager_external_id = worker(to, 1).external_id;
                record
            })
            .collect();
        let count = u64::try_from(moved.len())?;
        let pushed = push::run(stage, SyncMode::Delta, count, moved.into_iter()).await?;
        stage.settle().await?;
        self.reorganised.push_time(pushed.time);
        Ok(())
    }

    fn print(&self) {
        heading("people per second");
        row("bare COPY of the same rows into the same indexes", &self.copied, None, None);
        let ratio = self.first.to(&self.copied);
        row("first full snapshot, to COPY", &self.first, Some(&ratio), Some(Target::AtLeast(0.5)));
        row("bare COPY of all rows that are written before an answer", &self.copied_all, None, None);
        let ratio = self.first.to(&self.copied_all);
        row("first full snapshot, to that", &self.first, Some(&ratio), None);
        let ratio = self.again.to(&self.first);
        row(
            "the same snapshot again, no event, to the first",
            &self.again,
            Some(&ratio),
            Some(Target::AtLeast(3.0)),
        );
        heading_of_delays("milliseconds");
        let worst = |series: &Series, bound| Some((series.max(), Target::AtMost(bound)));
        row_of_delays("a delta of 1,000", &self.delta, worst(&self.delta, 2000.0));
        row_of_delays("its consequences in every service", &self.settled, worst(&self.settled, 1000.0));
        row_of_delays("a department changes hands", &self.reorganised, None);
        row_of_delays(
            "feed back caught up after the first snapshot",
            &self.watched,
            worst(&self.watched, 5000.0),
        );
        heading_of_delays("MiB");
        row_of_delays("memory from a fifth of the stream to its end", &self.memory, None);
    }
}
