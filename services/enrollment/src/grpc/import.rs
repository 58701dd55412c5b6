//! The uploads of `DirectoryService`: what is asked of one, how it stands, and its report.

use boot::{Call, unavailable};
use eventlog::Context;
use futures::stream::{self, BoxStream, StreamExt};
use identity::{OperationId, Resource};
use proto::{enrollment as api, hris, status};
use sqlx::PgPool;
use tokio::sync::OwnedSemaphorePermit;
use tonic::{Code, Status};

use super::hris::source;
use crate::domain::roster::report;
use crate::domain::sync_run::{LEAVERS_PERCENT_MAX, Mode};
use crate::import::{Import, SOURCE};
use crate::views::operations::{self, CountsRow, IssueRow, OperationRow, Place};

/// A report on its way out.
pub(super) type Report = BoxStream<'static, Result<api::DownloadImportReportResponse, Status>>;

/// Whose records an upload holds: those of the source `roster`.
pub(super) fn resource() -> Result<Resource, Status> {
    Ok(Resource::of_source(source("source_id", SOURCE)?))
}

/// The import that is asked for; the file is taken out of the message.
pub(super) fn of(call: &mut Call<api::CreateImportRequest>, place: OwnedSemaphorePermit) -> Import {
    // The key belongs to the operation, which exists by now.
    let context = Context { idempotency: None, ..call.context() };
    let message = &mut call.message;
    let mode = match message.mode() {
        hris::SyncMode::FullSnapshot => Mode::FullSnapshot,
        hris::SyncMode::Delta | hris::SyncMode::SingleChanges | hris::SyncMode::Unspecified => Mode::Delta,
    };
    Import {
        operation: OperationId::mint(),
        file: std::mem::take(&mut message.content),
        mode,
        dry_run: message.dry_run,
        leavers_percent_max: message.leavers_percent_max.unwrap_or(LEAVERS_PERCENT_MAX),
        expected_people: usize::try_from(message.expected_people).ok().filter(|expected| *expected > 0),
        context,
        place,
    }
}

/// Too many files are in memory already.
pub(super) fn no_place() -> Status {
    let message = "other files wait to be taken in; send this one when they are done";
    status::refusal(Code::ResourceExhausted, "TOO_MANY_IMPORTS", message)
}

/// An operation as the interfaces write it.
pub(super) fn operation(row: OperationRow) -> api::Operation {
    let state = match row.state.as_str() {
        "running" => api::operation::State::Running,
        "succeeded" => api::operation::State::Succeeded,
        _ => api::operation::State::Failed,
    };
    let mode = match row.mode {
        Mode::FullSnapshot => hris::SyncMode::FullSnapshot,
        Mode::Delta | Mode::Continuous => hris::SyncMode::Delta,
    };
    let CountsRow { created, updated, unchanged, stale, rejected, scheduled, leavers } = row.counts;
    api::Operation {
        operation_id: row.operation.to_string(),
        state: state.into(),
        progress_percent: row.progress_percent,
        dry_run: row.dry_run,
        counts: Some(api::ImportCounts {
            created,
            updated,
            unchanged,
            rejected,
            stale,
            left: leavers,
            scheduled,
        }),
        detail: row.detail,
        issue_count: row.issue_count,
        create_time: Some(proto::time::to_proto(row.created_at)),
        sync_run_id: row.run.map(|run| run.to_string()).unwrap_or_default(),
        mode: mode.into(),
        encoding: row.encoding,
        delimiter: row.delimiter,
    }
}

/// An issue as the interfaces write it.
pub(super) fn issue(row: IssueRow) -> api::ImportIssue {
    let IssueRow { line, key, column_name: column, code, detail, refused, .. } = row;
    api::ImportIssue { line, column, code, detail, key, refused }
}

/// What became of every line, read from the database as fast as the client takes it.
pub(super) fn report(pool: PgPool, operation: OperationId) -> Report {
    let header = stream::once(async { Ok(part(report::HEADER.as_bytes().to_vec())) });
    let rows = stream::try_unfold(Some(Place::BEGINNING), move |place| {
        let pool = pool.clone();
        async move {
            let Some(place) = place else { return Ok(None) };
            let (rows, next) = operations::report(&pool, operation, place).await.map_err(unavailable)?;
            let lines = report::lines(&rows).map_err(unavailable)?;
            Ok(Some((part(lines), next)))
        }
    });
    header.chain(rows).boxed()
}

fn part(content: Vec<u8>) -> api::DownloadImportReportResponse {
    api::DownloadImportReportResponse { content }
}
