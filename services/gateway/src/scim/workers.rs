//! The service that keeps the workers, called for one source.

use std::time::Duration;

use identity::{Caller, SourceId};
use proto::hris::{
    GetWorkerRequest, ListWorkersRequest, ListWorkersResponse, Outcome, PutWorkerRequest,
    RemoveWorkerRequest, StoredWorker, worker_service_client::WorkerServiceClient, worker_tombstone::Kind,
};
use tonic::{Request, Status};

use super::{filter::Narrowed, query::Cursor, refusal::Refusal, user::Wanted};
use crate::{Gateway, auth, upstream::Connection};

const PACKAGE: &str = "updraft.hris.v1";
const DEADLINE: Duration = Duration::from_secs(10);

/// What the bearer of a credential may reach: the workers of its source.
pub(super) struct Workers {
    client: WorkerServiceClient<Connection>,
    source: SourceId,
}

impl Workers {
    /// Asks the service whose the bearer token is. It is asked each time, so that a credential that is revoked ends at once.
    ///
    /// # Errors
    /// 401 without a credential that holds, 429 if it was tried in vain too often.
    pub(super) async fn of(gateway: &Gateway, headers: &axum::http::HeaderMap) -> Result<Self, Refusal> {
        let secret = auth::bearer(headers).ok_or_else(|| {
            Refusal::unauthenticated("Send the secret of the source: Authorization: Bearer …")
        })?;
        let source = gateway.source_secrets.source(&gateway.upstreams, secret).await?;
        let connection = connection(gateway, Caller::hris(source.clone()))?;
        Ok(Self { client: WorkerServiceClient::new(connection), source })
    }

    /// The worker of an id.
    ///
    /// # Errors
    /// 404 if there is none.
    pub(super) async fn get(&self, id: &str) -> Result<StoredWorker, Refusal> {
        let asked = GetWorkerRequest { source_id: self.source.to_string(), external_id: id.to_owned() };
        let answer = self.client.clone().get_worker(request(asked)).await?;
        answer.into_inner().worker.ok_or_else(Refusal::no_such_user)
    }

    /// A page of those who are looked up by the service.
    ///
    /// # Errors
    /// What the service refuses.
    pub(super) async fn list(
        &self,
        narrowed: &Narrowed,
        from: &Cursor,
        page_size: i32,
    ) -> Result<ListWorkersResponse, Refusal> {
        let asked = ListWorkersRequest {
            source_id: self.source.to_string(),
            page_size,
            page_token: from.page_token.clone(),
            skip: from.skip,
            user_name: narrowed.user_name.clone(),
            alias: narrowed.external_id.clone(),
            employee_number: narrowed.employee_number.clone(),
            email: narrowed.email.clone(),
        };
        Ok(self.client.clone().list_workers(request(asked)).await?.into_inner())
    }

    /// Stores a worker whose version must be `etag`.
    ///
    /// # Errors
    /// 412 for another version, 409 for a name that is taken, 400 for what is wrong with the attributes.
    pub(super) async fn put(&self, wanted: Wanted, etag: &str) -> Result<StoredWorker, Refusal> {
        let Wanted { worker, external_id, keep_birth_date } = wanted;
        let asked = PutWorkerRequest {
            source_id: self.source.to_string(),
            worker: Some(worker),
            alias: external_id,
            etag: etag.to_owned(),
            keep_birth_date,
        };
        let answer = self.client.clone().put_worker(request(asked)).await?.into_inner();
        match (answer.outcome(), answer.worker) {
            (Outcome::Rejected, _) | (_, None) => Err(Refusal::of_issues(&answer.issues)),
            (_, Some(stored)) => Ok(stored),
        }
    }

    /// Ends a worker whose version must be `etag`; empty for any.
    ///
    /// # Errors
    /// 404 if there is none, 412 for another version.
    pub(super) async fn remove(&self, id: &str, etag: String) -> Result<(), Refusal> {
        let asked = RemoveWorkerRequest {
            source_id: self.source.to_string(),
            external_id: id.to_owned(),
            kind: Kind::Left.into(),
            etag,
        };
        self.client.clone().remove_worker(request(asked)).await?;
        Ok(())
    }
}

fn connection(gateway: &Gateway, caller: Caller) -> Result<Connection, Refusal> {
    let unserved = || Refusal::from(Status::internal("nobody serves the directory"));
    gateway.upstreams.connection(PACKAGE, caller).ok_or_else(unserved)
}

fn request<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}
