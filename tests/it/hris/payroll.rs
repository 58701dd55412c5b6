//! An HR system that feeds a source of the directory by gRPC.

use std::sync::atomic::{AtomicU64, Ordering};

use identity::{Caller, Role, SyncRunId};
use proto::hris::hris_sync_service_client::HrisSyncServiceClient;
use proto::hris::upsert_workers_request::Change;
use proto::hris::{
    CreateSyncRunRequest, FinishSyncRunRequest, GetSyncRunRequest, ListSyncRunIssuesRequest, Outcome,
    SyncMode, SyncRun, SyncRunIssue, UpsertWorkersRequest, UpsertWorkersResponse, WatchWorkersRequest,
    WatchWorkersResponse, Worker, WorkerTombstone, WorkerUpsert,
};
use serde_json::json;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

use crate::company::roster;
use crate::rpc::{by, channel};
use crate::world::World;

/// The HR system of one source.
pub struct Payroll<'w> {
    world: &'w World,
    caller: Caller,
    source: String,
    client: HrisSyncServiceClient<Channel>,
    sent: AtomicU64,
}

impl<'w> Payroll<'w> {
    /// Adds a source, and connects in its name.
    pub async fn new(world: &'w World, source: &str) -> Self {
        let described = json!({ "sourceId": source });
        world.office(None).post("/api/v1/sources", described).await.ok();
        Self::of(world, source).await
    }

    /// Connects in the name of a source that is there.
    pub async fn of(world: &'w World, source: &str) -> Self {
        let caller = Caller::hris(source.parse().unwrap());
        Self::to(world, caller, source, channel(world).await)
    }

    /// Connects by another way to the service.
    pub async fn at(world: &'w World, source: &str, address: &str) -> Self {
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Self::to(world, Caller::hris(source.parse().unwrap()), source, channel)
    }

    fn to(world: &'w World, caller: Caller, source: &str, channel: Channel) -> Self {
        let client = HrisSyncServiceClient::new(channel);
        Self { world, caller, source: source.to_owned(), client, sent: AtomicU64::new(0) }
    }

    /// Connects in the name of an HR system that speaks for no source.
    pub async fn of_nobody(world: &'w World, source: &str) -> Self {
        Self { caller: Caller::system(Role::Hris), ..Self::of(world, source).await }
    }

    /// What opens a run of a mode.
    pub fn opening(&self, mode: SyncMode) -> CreateSyncRunRequest {
        CreateSyncRunRequest {
            source_id: self.source.clone(),
            mode: mode.into(),
            dry_run: false,
            request_id: SyncRunId::mint().to_string(),
            leavers_percent_max: None,
        }
    }

    /// Opens a run.
    pub async fn try_open(&self, opening: CreateSyncRunRequest) -> Result<SyncRun, Status> {
        let opened = self.client.clone().create_sync_run(self.call(opening)).await?;
        Ok(opened.into_inner().sync_run.unwrap())
    }

    /// Opens a run of a mode and answers with its id.
    pub async fn open(&self, mode: SyncMode) -> String {
        self.try_open(self.opening(mode)).await.unwrap().sync_run_id
    }

    /// A record of a run.
    pub fn record(&self, run: &str, change: Change) -> UpsertWorkersRequest {
        let client_ref = self.sent.fetch_add(1, Ordering::Relaxed);
        UpsertWorkersRequest { sync_run_id: run.to_owned(), client_ref, change: Some(change) }
    }

    /// Opens a stream over these records; the answers are still to be read.
    pub async fn stream(
        &self,
        records: impl futures::Stream<Item = UpsertWorkersRequest> + Send + 'static,
    ) -> Result<Streaming<UpsertWorkersResponse>, Status> {
        Ok(self.client.clone().upsert_workers(self.call(records)).await?.into_inner())
    }

    /// Sends records in one stream and reads an answer to each.
    pub async fn try_send(
        &self,
        run: &str,
        changes: impl IntoIterator<Item = Change>,
    ) -> Result<Vec<UpsertWorkersResponse>, Status> {
        let records: Vec<_> = changes.into_iter().map(|change| self.record(run, change)).collect();
        let refs: Vec<_> = records.iter().map(|record| record.client_ref).collect();
        let answers = all(self.stream(futures::stream::iter(records)).await?).await?;
        assert_eq!(answers.iter().map(|answer| answer.client_ref).collect::<Vec<_>>(), refs);
        Ok(answers)
    }

    /// Sends records and answers with what became of each.
    pub async fn send(&self, run: &str, changes: impl IntoIterator<Item = Change>) -> Vec<Outcome> {
        let answers = self.try_send(run, changes).await.unwrap();
        answers.iter().map(UpsertWorkersResponse::outcome).collect()
    }

    /// Ends a run.
    pub async fn try_finish(&self, run: &str, expected_workers: i64) -> Result<SyncRun, Status> {
        let finish = FinishSyncRunRequest { sync_run_id: run.to_owned(), expected_workers };
        let finished = self.client.clone().finish_sync_run(self.call(finish)).await?;
        Ok(finished.into_inner().sync_run.unwrap())
    }

    /// A run as it stands.
    pub async fn find(&self, run: &str) -> Result<SyncRun, Status> {
        let request = GetSyncRunRequest { sync_run_id: run.to_owned() };
        Ok(self.client.clone().get_sync_run(self.call(request)).await?.into_inner().sync_run.unwrap())
    }

    /// Sends all of these workers as one snapshot.
    pub async fn snapshot(&self, workers: &[Worker]) -> SyncRun {
        let run = self.open(SyncMode::FullSnapshot).await;
        self.try_send(&run, workers.iter().cloned().map(upsert)).await.unwrap();
        self.try_finish(&run, workers.len().try_into().unwrap()).await.unwrap()
    }

    /// What was found in a run.
    pub async fn issues(&self, run: &str) -> Vec<SyncRunIssue> {
        let request = ListSyncRunIssuesRequest {
            sync_run_id: run.to_owned(),
            page_size: 200,
            page_token: String::new(),
        };
        let page = self.client.clone().list_sync_run_issues(self.call(request)).await.unwrap();
        page.into_inner().issues
    }

    /// Follows the workers of the source.
    pub async fn watch(&self, resume_token: &str) -> Result<Streaming<WatchWorkersResponse>, Status> {
        let request =
            WatchWorkersRequest { source_id: self.source.clone(), resume_token: resume_token.to_owned() };
        Ok(self.client.clone().watch_workers(self.call(request)).await?.into_inner())
    }

    fn call<M>(&self, message: M) -> Request<M> {
        by(self.world, &self.caller, message)
    }
}

/// Everything that a stream holds.
pub async fn all<M>(mut stream: Streaming<M>) -> Result<Vec<M>, Status> {
    let mut messages = Vec::new();
    while let Some(message) = stream.message().await? {
        messages.push(message);
    }
    Ok(messages)
}

/// The workers of the small company, in the version 1.
pub fn workers() -> Vec<Worker> {
    workers_of(roster().as_bytes())
}

/// The workers of a roster, in the version 1.
pub fn workers_of(roster: &[u8]) -> Vec<Worker> {
    let worker = |line: csv::StringRecord| Worker {
        external_id: line[0].to_owned(),
        source_version: 1,
        employee_number: line[0].to_owned(),
        manager_external_id: line[1].to_owned(),
        given_name: line[2].to_owned(),
        family_name: line[3].to_owned(),
        email: line[4].to_owned(),
        job_title: line[5].to_owned(),
        org_unit_path: vec![line[6].to_owned()],
        hire_date: line[7].to_owned(),
        birth_date: line[8].to_owned(),
        ..Worker::default()
    };
    csv::Reader::from_reader(roster).into_records().map(|line| worker(line.unwrap())).collect()
}

/// That a worker is so.
pub fn upsert(worker: Worker) -> Change {
    Change::Upsert(WorkerUpsert { worker: Some(worker), effective_date: String::new() })
}

/// That a worker ends today.
pub fn tombstone(
    external_id: &str,
    source_version: u64,
    kind: proto::hris::worker_tombstone::Kind,
) -> Change {
    Change::Tombstone(WorkerTombstone {
        external_id: external_id.to_owned(),
        source_version,
        kind: kind.into(),
        last_day: String::new(),
    })
}
