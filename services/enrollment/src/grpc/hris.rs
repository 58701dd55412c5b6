//! `HrisSyncService`: runs here, the stream of records in `upload`, what is told back in `watch`.

mod upload;
mod watch;

use std::time::Duration;

use boot::{Call, Page, not_found, unavailable};
use futures::stream::BoxStream;
use identity::{Resource, SourceId, SyncRunId};
use proto::hris as api;
use proto::hris::hris_sync_service_server::HrisSyncService;
use proto::status;
use tokio::time::{Instant, sleep_until};
use tonic::{Code, Request, Response, Status, Streaming};

use self::upload::Upload;
use self::watch::Watcher;
use super::{id, violation};
use crate::Enrollment;
use crate::domain::sync_run::{LEAVERS_PERCENT_MAX, Mode, State};
use crate::domain::worker::{FieldIssue, Outcome};
use crate::sync::Refused;
use crate::views::sync_runs::{self, Opening, RunIssueRow, RunRow};

/// How long a stream lives.
const STREAM_AT_MOST: Duration = Duration::from_mins(15);

#[tonic::async_trait]
impl HrisSyncService for Enrollment {
    type UpsertWorkersStream = BoxStream<'static, Result<api::UpsertWorkersResponse, Status>>;
    type WatchWorkersStream = BoxStream<'static, Result<api::WatchWorkersResponse, Status>>;

    async fn create_sync_run(
        &self,
        request: Request<api::CreateSyncRunRequest>,
    ) -> Result<Response<api::CreateSyncRunResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let source = source("source_id", &call.message.source_id)?;
        call.allow(&Resource::of_source(source.clone()))?;
        let mode = match call.message.mode() {
            api::SyncMode::FullSnapshot => Mode::FullSnapshot,
            api::SyncMode::Delta | api::SyncMode::SingleChanges | api::SyncMode::Unspecified => Mode::Delta,
        };
        let request: SyncRunId = id("request_id", &call.message.request_id)?;
        let opening = Opening {
            source: source.to_string(),
            mode,
            dry_run: call.message.dry_run,
            request: Some(request.uuid()),
            leavers_percent_max: call.message.leavers_percent_max.unwrap_or(LEAVERS_PERCENT_MAX),
        };
        let run = self.sync.open(&call.context(), opening).await.map_err(refuse)?;
        Ok(Response::new(api::CreateSyncRunResponse { sync_run: Some(run_to_proto(run)) }))
    }

    async fn upsert_workers(
        &self,
        request: Request<Streaming<api::UpsertWorkersRequest>>,
    ) -> Result<Response<Self::UpsertWorkersStream>, Status> {
        let call = self.desk.receive_stream(request).await?;
        // Who feeds no source is told so before the first record.
        let own = call.caller.source.clone().map_or_else(Resource::public, Resource::of_source);
        call.allow(&own)?;
        Ok(Response::new(Upload::new(self, call).answers()))
    }

    async fn finish_sync_run(
        &self,
        request: Request<api::FinishSyncRunRequest>,
    ) -> Result<Response<api::FinishSyncRunResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let run = self.allowed_run(&call, &call.message.sync_run_id).await?.run;
        let finished = self.sync.finish(&call.context(), run, call.message.expected_workers).await;
        let sync_run = Some(run_to_proto(finished.map_err(refuse)?));
        self.moves.send_replace(());
        Ok(Response::new(api::FinishSyncRunResponse { sync_run }))
    }

    async fn get_sync_run(
        &self,
        request: Request<api::GetSyncRunRequest>,
    ) -> Result<Response<api::GetSyncRunResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let run = self.allowed_run(&call, &call.message.sync_run_id).await?;
        Ok(Response::new(api::GetSyncRunResponse { sync_run: Some(run_to_proto(run)) }))
    }

    async fn list_sync_run_issues(
        &self,
        request: Request<api::ListSyncRunIssuesRequest>,
    ) -> Result<Response<api::ListSyncRunIssuesResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let page = Page::<i64>::of(call.message.page_size, &call.message.page_token)?;
        let run = self.allowed_run(&call, &call.message.sync_run_id).await?.run;
        let rows = sync_runs::issues(&self.pool, run, page.after, page.fetch()).await;
        let (rows, next_page_token) = page.cut(rows.map_err(unavailable)?, |row| row.ordinal);
        let issues = rows.into_iter().map(issue_row_to_proto).collect();
        Ok(Response::new(api::ListSyncRunIssuesResponse { issues, next_page_token }))
    }

    async fn list_sync_runs(
        &self,
        request: Request<api::ListSyncRunsRequest>,
    ) -> Result<Response<api::ListSyncRunsResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let wanted = match call.message.source_id.as_str() {
            "" if call.allow(&Resource::everything()).is_ok() => None,
            "" => call.caller.source.clone(),
            named => Some(source("source_id", named)?),
        };
        let resource = wanted.clone().map_or_else(Resource::everything, Resource::of_source);
        call.allow(&resource)?;
        let page = Page::<SyncRunId>::of(call.message.page_size, &call.message.page_token)?;
        let source = wanted.as_ref().map(SourceId::as_str);
        let rows = sync_runs::page(&self.pool, source, page.after, page.fetch()).await;
        let (rows, next_page_token) = page.cut(rows.map_err(unavailable)?, |row| row.run);
        let sync_runs = rows.into_iter().map(run_to_proto).collect();
        Ok(Response::new(api::ListSyncRunsResponse { sync_runs, next_page_token }))
    }

    async fn release_sync_run(
        &self,
        request: Request<api::ReleaseSyncRunRequest>,
    ) -> Result<Response<api::ReleaseSyncRunResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let run = self.allowed_run(&call, &call.message.sync_run_id).await?.run;
        let released = self.sync.release(&call.context(), run).await.map_err(refuse)?;
        self.moves.send_replace(());
        Ok(Response::new(api::ReleaseSyncRunResponse { sync_run: Some(run_to_proto(released)) }))
    }

    async fn drop_sync_run(
        &self,
        request: Request<api::DropSyncRunRequest>,
    ) -> Result<Response<api::DropSyncRunResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let run = self.allowed_run(&call, &call.message.sync_run_id).await?.run;
        let dropped = self.sync.drop(&call.context(), run).await.map_err(refuse)?;
        Ok(Response::new(api::DropSyncRunResponse { sync_run: Some(run_to_proto(dropped)) }))
    }

    async fn watch_workers(
        &self,
        request: Request<api::WatchWorkersRequest>,
    ) -> Result<Response<Self::WatchWorkersStream>, Status> {
        let call = self.desk.receive(request).await?;
        let source = source("source_id", &call.message.source_id)?;
        call.allow(&Resource::of_source(source.clone()))?;
        let watcher = Watcher::new(self, source, &call.message.resume_token).await?;
        Ok(Response::new(watcher.tell()))
    }
}

impl Enrollment {
    /// The run that a caller names, if it is one that the caller may ask this about.
    async fn allowed_run<M>(&self, call: &Call<M>, run: &str) -> Result<RunRow, Status> {
        let found = sync_runs::find(&self.pool, id("sync_run_id", run)?).await.map_err(unavailable)?;
        let found = found.ok_or_else(|| not_found("run"))?;
        call.allow(&Resource::of_source(source("source_id", &found.source)?))?;
        Ok(found)
    }
}

/// A source by its name.
pub(super) fn source(field: &str, name: &str) -> Result<SourceId, Status> {
    name.parse().map_err(|error: identity::NoSourceId| violation(field, "PATTERN", &error.to_string()))
}

/// The status of what the directory refused as a whole.
pub(super) fn refuse(refused: Refused) -> Status {
    let (code, reason) = match &refused {
        Refused::UnknownSource(_) => return not_found("source"),
        Refused::UnknownRun => return not_found("run"),
        Refused::UnknownWorker => return not_found("worker"),
        Refused::RunOpen(_) => (Code::FailedPrecondition, "RUN_OPEN"),
        Refused::NotOpen(_) => (Code::FailedPrecondition, "RUN_CLOSED"),
        Refused::NotHeld(_) => (Code::FailedPrecondition, "RUN_NOT_HELD"),
        Refused::Stale | Refused::Exists => (Code::Aborted, "ETAG_MISMATCH"),
        Refused::DuplicateUserName => (Code::AlreadyExists, "DUPLICATE_USER_NAME"),
        Refused::TooMany => (Code::InvalidArgument, "TOO_MANY_RECORDS"),
        Refused::Failed(_) => return unavailable(refused),
    };
    status::refusal(code, reason, refused.to_string())
}

/// How long a stream lives, so that a credential which was revoked is of no use soon after.
struct Lease(Instant);

impl Lease {
    fn new() -> Self {
        Self(Instant::now() + STREAM_AT_MOST)
    }

    fn check(&self) -> Result<(), Status> {
        if Instant::now() < self.0 { Ok(()) } else { Err(Self::over()) }
    }

    /// Waits until it is over, and answers what to say then.
    async fn ended(&self) -> Status {
        sleep_until(self.0).await;
        Self::over()
    }

    fn over() -> Status {
        let message = "a stream lives for 15 minutes; go on from what was answered, and say again who calls";
        status::refusal(Code::Unavailable, "STREAM_TOO_OLD", message)
    }
}

/// The end of a stream whose process ends.
fn stopping() -> Status {
    let message =
        "the service is about to stop; go on from what was answered, at another process or in a moment";
    status::refusal(Code::Unavailable, "STOPPING", message)
}

fn run_to_proto(row: RunRow) -> api::SyncRun {
    use api::sync_run::State as Told;
    let mode = match row.mode {
        Mode::FullSnapshot => api::SyncMode::FullSnapshot,
        Mode::Delta => api::SyncMode::Delta,
        Mode::Continuous => api::SyncMode::SingleChanges,
    };
    let state = match row.state {
        State::Open => Told::Open,
        State::Committed => Told::Committed,
        State::Held => Told::Held,
        State::Aborted => Told::Aborted,
    };
    api::SyncRun {
        sync_run_id: row.run.to_string(),
        source_id: row.source,
        mode: mode.into(),
        dry_run: row.dry_run,
        state: state.into(),
        detail: row.detail,
        stats: Some(api::SyncRunStats {
            received: row.counts.received,
            created: row.counts.created,
            updated: row.counts.updated,
            unchanged: row.counts.unchanged,
            stale: row.counts.stale,
            rejected: row.counts.rejected,
            removed: row.counts.removed,
            scheduled: row.counts.scheduled,
            workers: row.counts.workers,
            left: row.counts.left,
            issues: row.counts.issues,
        }),
        create_time: Some(proto::time::to_proto(row.created_at)),
        end_time: row.ended_at.map(proto::time::to_proto),
    }
}

fn issue_row_to_proto(row: RunIssueRow) -> api::SyncRunIssue {
    let issue = api::FieldIssue { field: row.field, reason: row.reason, message: row.message };
    api::SyncRunIssue { external_id: row.external_id, issue: Some(issue), refused: row.refused }
}

/// What became of a record, on the wire.
pub(super) fn outcome_to_proto(outcome: Outcome) -> api::Outcome {
    match outcome {
        Outcome::Created => api::Outcome::Created,
        Outcome::Updated => api::Outcome::Updated,
        Outcome::Unchanged => api::Outcome::Unchanged,
        Outcome::Stale => api::Outcome::Stale,
        Outcome::Rejected => api::Outcome::Rejected,
        Outcome::Removed => api::Outcome::Removed,
        Outcome::Scheduled => api::Outcome::Scheduled,
    }
}

/// Issues of a record on the wire.
pub(super) fn issues_to_proto(issues: Vec<FieldIssue>) -> Vec<api::FieldIssue> {
    let issue = |issue: FieldIssue| api::FieldIssue {
        field: issue.field,
        reason: issue.reason.to_owned(),
        message: issue.message,
    };
    issues.into_iter().map(issue).collect()
}
