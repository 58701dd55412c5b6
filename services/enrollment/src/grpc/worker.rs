//! `WorkerService`.

use boot::{Page, not_found, unavailable};
use identity::{Resource, SourceId};
use proto::hris as api;
use proto::hris::worker_service_server::WorkerService;
use proto::{Violation, status};
use tonic::{Request, Response, Status};

use super::hris::{issues_to_proto, outcome_to_proto, refuse, source};
use super::violation;
use crate::Enrollment;
use crate::codec;
use crate::domain::worker::{FieldIssue, Outcome};
use crate::sync::Put;
use crate::views::stored_workers::{self, StoredRow, Wanted};

#[tonic::async_trait]
impl WorkerService for Enrollment {
    async fn get_worker(
        &self,
        request: Request<api::GetWorkerRequest>,
    ) -> Result<Response<api::GetWorkerResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let source = source("source_id", &call.message.source_id)?;
        call.allow(&Resource::of_source(source.clone()))?;
        let worker = Some(self.stored(&source, &call.message.external_id).await?);
        Ok(Response::new(api::GetWorkerResponse { worker }))
    }

    async fn list_workers(
        &self,
        request: Request<api::ListWorkersRequest>,
    ) -> Result<Response<api::ListWorkersResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let source = source("source_id", &call.message.source_id)?;
        call.allow(&Resource::of_source(source.clone()))?;
        let page = Page::<String>::of(call.message.page_size, &call.message.page_token)?;
        let wanted = Wanted {
            external_id: String::new(),
            user_name: call.message.user_name,
            alias: call.message.alias,
            employee_number: call.message.employee_number,
            email: call.message.email,
        };
        let (after, skip) = (page.after.as_deref().unwrap_or_default(), call.message.skip.into());
        let total = stored_workers::count(&self.pool, source.as_str(), &wanted).await.map_err(unavailable)?;
        let rows =
            stored_workers::page(&self.pool, source.as_str(), &wanted, after, skip, page.fetch()).await;
        let (rows, next_page_token) = page.cut(rows.map_err(unavailable)?, |row| row.external_id.clone());
        Ok(Response::new(api::ListWorkersResponse {
            workers: rows.into_iter().map(stored_to_proto).collect(),
            next_page_token,
            total: i32::try_from(total).unwrap_or(i32::MAX),
        }))
    }

    async fn put_worker(
        &self,
        request: Request<api::PutWorkerRequest>,
    ) -> Result<Response<api::PutWorkerResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let source = source("source_id", &call.message.source_id)?;
        call.allow(&Resource::of_source(source.clone()))?;
        let context = call.context();
        let api::PutWorkerRequest { worker, alias, etag, keep_birth_date, .. } = call.message;
        let mut said = codec::worker_said(worker.unwrap_or_default(), alias);
        // The service numbers the versions.
        said.source_version = 0;
        let (worker, noticed) = said.read().map_err(|unreadable| wrong(unreadable.issues))?;
        let external_id = worker.external_id.clone();
        let put = Put { worker, noticed, etag, keep_birth_date };
        let answer = self.sync.put(&context, source.as_str(), put).await.map_err(refuse)?;
        self.moves.send_replace(());
        if answer.outcome == Outcome::Rejected {
            return Err(wrong(answer.issues));
        }
        Ok(Response::new(api::PutWorkerResponse {
            worker: Some(self.stored(&source, &external_id).await?),
            outcome: outcome_to_proto(answer.outcome).into(),
            issues: issues_to_proto(answer.issues),
        }))
    }

    async fn remove_worker(
        &self,
        request: Request<api::RemoveWorkerRequest>,
    ) -> Result<Response<api::RemoveWorkerResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let source = source("source_id", &call.message.source_id)?;
        call.allow(&Resource::of_source(source.clone()))?;
        let kind = codec::tombstone_kind(call.message.kind)
            .ok_or_else(|| violation("kind", "DEFINED_ONLY", "must be set"))?;
        let (key, etag) = (&call.message.external_id, &call.message.etag);
        self.sync.remove(&call.context(), source.as_str(), key, kind, etag).await.map_err(refuse)?;
        self.moves.send_replace(());
        Ok(Response::new(api::RemoveWorkerResponse {}))
    }
}

impl Enrollment {
    async fn stored(&self, source: &SourceId, external_id: &str) -> Result<api::StoredWorker, Status> {
        let wanted = Wanted { external_id: external_id.to_owned(), ..Wanted::default() };
        let found = stored_workers::page(&self.pool, source.as_str(), &wanted, "", 0, 1).await;
        let found = found.map_err(unavailable)?.into_iter().next();
        found.map(stored_to_proto).ok_or_else(|| not_found("worker"))
    }
}

/// The status of a record with wrong fields.
fn wrong(issues: Vec<FieldIssue>) -> Status {
    let violation =
        |issue: FieldIssue| Violation { field: issue.field, code: issue.reason, message: issue.message };
    status::invalid(issues.into_iter().map(violation).collect())
}

fn stored_to_proto(row: StoredRow) -> api::StoredWorker {
    let etag = row.source_version.to_string();
    let employment = match row.employment.as_str() {
        "on_leave" => api::EmploymentStatus::OnLeave,
        "pending" => api::EmploymentStatus::Pending,
        "inactive" => api::EmploymentStatus::Inactive,
        _ => api::EmploymentStatus::Active,
    };
    api::StoredWorker {
        worker: Some(api::Worker {
            external_id: row.external_id,
            source_version: u64::try_from(row.source_version).unwrap_or_default(),
            employee_number: row.employee_number,
            user_name: row.user_name,
            given_name: row.given_name,
            family_name: row.family_name,
            email: row.email,
            job_title: row.job_title,
            org_unit_path: row.org_unit_path,
            manager_external_id: row.manager_external_id,
            hire_date: row.hire_date,
            birth_date: String::new(),
            employment_status: employment.into(),
            leave_first_day: row.leave_first_day,
            leave_last_day: row.leave_last_day,
        }),
        person_id: row.person.to_string(),
        alias: row.alias,
        active: row.active,
        create_time: Some(proto::time::to_proto(row.created_at)),
        update_time: Some(proto::time::to_proto(row.updated_at)),
        etag,
        manager_name: row.manager_name,
    }
}
