//! What an HR system does: a run, from its opening to its end.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures::StreamExt;
use identity::SyncRunId;
use proto::hris::sync_run::State;
use proto::hris::upsert_workers_request::Change;
use proto::hris::watch_workers_response::Event;
use proto::hris::{
    CreateSyncRunRequest, FinishSyncRunRequest, SyncMode, SyncRunStats, UpsertWorkersRequest,
    WatchWorkersRequest, Worker, WorkerUpsert,
};

use crate::stage::{SOURCE, Stage};

/// What a run has taken.
pub(crate) struct Pushed {
    pub(crate) stats: SyncRunStats,
    pub(crate) time: Duration,
    /// Resident memory of the process, which holds both ends, MiB: after each tenth of the answers.
    pub(crate) memory: Vec<f64>,
}

/// Pushes these workers in one run.
pub(crate) async fn run(
    stage: &Stage,
    mode: SyncMode,
    count: u64,
    workers: impl Iterator<Item = Worker> + Send + 'static,
) -> anyhow::Result<Pushed> {
    let begin = Instant::now();
    let mut client = stage.client();
    let opening = CreateSyncRunRequest {
        source_id: SOURCE.to_owned(),
        mode: mode.into(),
        dry_run: false,
        request_id: SyncRunId::mint().to_string(),
        leavers_percent_max: None,
    };
    let opened = client.create_sync_run(stage.request(opening)).await?.into_inner();
    let run = opened.sync_run.context("a run")?.sync_run_id;

    let named = run.clone();
    let records = workers.zip(0..).map(move |(worker, client_ref)| UpsertWorkersRequest {
        sync_run_id: named.clone(),
        client_ref,
        change: Some(Change::Upsert(WorkerUpsert { worker: Some(worker), effective_date: String::new() })),
    });
    let mut answers =
        client.upsert_workers(stage.request(futures::stream::iter(records))).await?.into_inner();
    let (mut answered, mut memory) = (0, Vec::new());
    while let Some(answer) = answers.next().await {
        let answer = answer?;
        ensure!(answer.issues.is_empty(), "record {}: {:?}", answer.client_ref, answer.issues);
        answered += 1;
        if answered % (count / 10).max(1) == 0 {
            memory.push(resident()?);
        }
    }
    ensure!(answered == count, "{answered} of {count} records were answered");
    let ending = FinishSyncRunRequest { sync_run_id: run, expected_workers: i64::try_from(count)? };
    let ended = client.finish_sync_run(stage.request(ending)).await?.into_inner();
    let ended = ended.sync_run.context("a run")?;
    ensure!(ended.state() == State::Committed, "the run is {:?}: {}", ended.state(), ended.detail);
    Ok(Pushed { stats: ended.stats.unwrap_or_default(), time: begin.elapsed(), memory })
}

/// Follows the feed back until it has told of so many workers; answers when that was.
pub(crate) async fn watch(stage: &Stage, workers: u64) -> anyhow::Result<Instant> {
    let request = WatchWorkersRequest { source_id: SOURCE.to_owned(), resume_token: String::new() };
    let mut changes = stage.client().watch_workers(stage.request(request)).await?.into_inner();
    let mut told = 0;
    while let Some(change) = changes.next().await {
        if let Some(Event::Changed(_)) = change?.event {
            told += 1;
            if told == workers {
                return Ok(Instant::now());
            }
        }
    }
    anyhow::bail!("the feed ended after {told} workers")
}

fn resident() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}
