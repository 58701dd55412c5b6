//! `UpsertWorkers`: records come in, each is answered once it is kept.
//!
//! Nothing is read ahead of the answers: while the client does not take those, or the database is slow, the window of HTTP/2 fills
//! and the client waits. So a stream needs the memory of one batch, however long it is.

use boot::{Call, entirely};
use eventlog::Context;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use futures::{FutureExt, Stream};
use identity::SyncRunId;
use prost::Message;
use proto::hris::{UpsertWorkersRequest, UpsertWorkersResponse};
use proto::status;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, Streaming};

use super::super::violation;
use super::{Lease, issues_to_proto, outcome_to_proto, refuse, stopping};
use crate::Enrollment;
use crate::codec;
use crate::domain::worker::Answer;
use crate::sync::RECORDS_MAX;

/// What a batch may hold in memory: there may be a message of four megabytes on top of it.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// One stream of records.
pub(super) struct Upload {
    enrollment: Enrollment,
    call: Call<Streaming<UpsertWorkersRequest>>,
    /// The run, once the first record has named it.
    run: Option<(String, SyncRunId)>,
    lease: Lease,
    /// Why the stream ends once what came before has been answered.
    end: Option<Status>,
}

impl Upload {
    pub(super) fn new(enrollment: &Enrollment, call: Call<Streaming<UpsertWorkersRequest>>) -> Self {
        Self { enrollment: enrollment.clone(), call, run: None, lease: Lease::new(), end: None }
    }

    /// The answers, in the order of the records.
    pub(super) fn answers(self) -> BoxStream<'static, Result<UpsertWorkersResponse, Status>> {
        let batches = stream::try_unfold(self, |mut upload| async move {
            let batch = upload.answer_batch().await?;
            Ok::<_, Status>(batch.map(|batch| (batch, upload)))
        });
        batches.map_ok(|batch| stream::iter(batch.into_iter().map(Ok))).try_flatten().boxed()
    }

    /// Answers what has arrived; none at the end of the stream. What has arrived is taken entirely, also when the client goes away.
    async fn answer_batch(&mut self) -> Result<Option<Vec<UpsertWorkersResponse>>, Status> {
        let batch = self.arrived().await;
        if batch.is_empty() {
            return self.end.take().map_or(Ok(None), Err);
        }
        self.lease.check()?;
        let run = self.run_of(&batch).await?;
        let context = Context { now: self.enrollment.desk.now(), ..self.call.context() };
        let (refs, records): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|request| (request.client_ref, codec::record(request))).unzip();
        let (sync, moves) = (self.enrollment.sync.clone(), self.enrollment.moves.clone());
        let taken = entirely(async move {
            let taken = sync.take(&context, run, records, false).await;
            moves.send_replace(());
            taken
        });
        let answers = taken.await?.map_err(refuse)?;
        Ok(Some(
            refs.into_iter().zip(answers).map(|(client_ref, answer)| response(client_ref, answer)).collect(),
        ))
    }

    /// Waits for a record, and takes whatever has come in besides, as much as one transaction takes.
    async fn arrived(&mut self) -> Vec<UpsertWorkersRequest> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while self.end.is_none() && batch.len() < RECORDS_MAX && bytes < BATCH_BYTES_MAX {
            let records = &mut self.call.message;
            let next = if batch.is_empty() {
                next(records, &self.enrollment.shutdown, &self.lease).await
            } else if let Some(next) = records.next().now_or_never() {
                next
            } else {
                break;
            };
            match next {
                Some(Ok(request)) => {
                    bytes += request.encoded_len();
                    batch.push(request);
                }
                Some(Err(broken)) => self.end = Some(explained(broken)),
                None => break,
            }
        }
        batch
    }

    /// The run that all records of the stream name, which is one of the caller's own.
    async fn run_of(&mut self, batch: &[UpsertWorkersRequest]) -> Result<SyncRunId, Status> {
        if self.run.is_none() {
            let name = batch.first().map(|request| request.sync_run_id.clone()).unwrap_or_default();
            let run = self.enrollment.allowed_run(&self.call, &name).await?.run;
            self.run = Some((name, run));
        }
        match &self.run {
            Some((name, run)) if batch.iter().all(|request| request.sync_run_id == *name) => Ok(*run),
            _ => Err(violation("sync_run_id", "OTHER_RUN", "must be the same in every record of a stream")),
        }
    }
}

/// Waits for a record while the process goes on, and no longer than the stream may live.
async fn next<M>(
    records: &mut (impl Stream<Item = Result<M, Status>> + Unpin),
    shutdown: &CancellationToken,
    lease: &Lease,
) -> Option<Result<M, Status>> {
    tokio::select! {
        next = records.next() => next,
        () = shutdown.cancelled() => Some(Err(stopping())),
        over = lease.ended() => Some(Err(over)),
    }
}

fn response(client_ref: u64, answer: Answer) -> UpsertWorkersResponse {
    UpsertWorkersResponse {
        client_ref,
        outcome: outcome_to_proto(answer.outcome).into(),
        person_id: codec::optional_id_text(answer.person),
        issues: issues_to_proto(answer.issues),
    }
}

/// Why a stream broke off, as a client's developer needs to be told.
fn explained(broken: Status) -> Status {
    if broken.code() != Code::OutOfRange {
        return broken;
    }
    let message = format!(
        "a record is larger than 4 MiB, which no worker is; what was answered before stands ({})",
        broken.message()
    );
    status::refusal(Code::ResourceExhausted, "RECORD_TOO_LARGE", message)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, timeout};

    use super::*;

    #[tokio::test]
    async fn a_stream_to_which_nothing_comes_ends_with_its_lease_and_with_the_process() {
        let mut silent = stream::pending::<Result<(), Status>>();
        let mut ended = async |shutdown: &CancellationToken, lease: &Lease| {
            let waiting = timeout(Duration::from_secs(5), next(&mut silent, shutdown, lease));
            waiting.await.expect("an end").unwrap().unwrap_err()
        };
        let shutdown = CancellationToken::new();
        let over = ended(&shutdown, &Lease(Instant::now())).await;
        assert!(over.message().starts_with("a stream lives for 15 minutes"), "{over}");
        shutdown.cancel();
        let stopped = ended(&shutdown, &Lease::new()).await;
        assert!(stopped.message().starts_with("the service is about to stop"), "{stopped}");
    }
}
