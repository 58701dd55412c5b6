//! Requests to commands, rejections to statuses, rows to responses.

pub(crate) mod computing;
mod explanations;
mod refusal;
mod repairs;
mod runs;
mod scoring;
mod tandems;

use boot::{not_found, unavailable};
use eventlog::{Begun, Context};
use identity::{EditionId, Id};
use proto::matching as api;
use proto::matching::matching_service_server::MatchingService;
use proto::{Violation, status};
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres};
use tonic::{Request, Response, Status};

use crate::Matching;
use crate::domain::tandem::Rejection;
use crate::views::Views;
use crate::views::editions::{self, EditionRow};

type Answer<M> = Result<Response<M>, Status>;

#[tonic::async_trait]
impl MatchingService for Matching {
    async fn create_match_run(
        &self,
        request: Request<api::CreateMatchRunRequest>,
    ) -> Answer<api::CreateMatchRunResponse> {
        self.create_run(request).await.map(Response::new)
    }

    async fn revise_match_run(
        &self,
        request: Request<api::ReviseMatchRunRequest>,
    ) -> Answer<api::ReviseMatchRunResponse> {
        self.revise_run(request).await.map(Response::new)
    }

    async fn review_match_run(
        &self,
        request: Request<api::ReviewMatchRunRequest>,
    ) -> Answer<api::ReviewMatchRunResponse> {
        self.review_run(request).await.map(Response::new)
    }

    async fn publish_match_run(
        &self,
        request: Request<api::PublishMatchRunRequest>,
    ) -> Answer<api::PublishMatchRunResponse> {
        self.publish_run(request).await.map(Response::new)
    }

    async fn get_match_run(
        &self,
        request: Request<api::GetMatchRunRequest>,
    ) -> Answer<api::GetMatchRunResponse> {
        self.get_run(request).await.map(Response::new)
    }

    async fn list_match_runs(
        &self,
        request: Request<api::ListMatchRunsRequest>,
    ) -> Answer<api::ListMatchRunsResponse> {
        self.list_runs(request).await.map(Response::new)
    }

    async fn propose_tandem(
        &self,
        request: Request<api::ProposeTandemRequest>,
    ) -> Answer<api::ProposeTandemResponse> {
        self.propose(request).await.map(Response::new)
    }

    async fn get_tandem(&self, request: Request<api::GetTandemRequest>) -> Answer<api::GetTandemResponse> {
        self.get(request).await.map(Response::new)
    }

    async fn list_tandems(
        &self,
        request: Request<api::ListTandemsRequest>,
    ) -> Answer<api::ListTandemsResponse> {
        self.list(request).await.map(Response::new)
    }

    async fn accept_tandem(
        &self,
        request: Request<api::AcceptTandemRequest>,
    ) -> Answer<api::AcceptTandemResponse> {
        self.accept(request).await.map(Response::new)
    }

    async fn ask_about_tandem(
        &self,
        request: Request<api::AskAboutTandemRequest>,
    ) -> Answer<api::AskAboutTandemResponse> {
        self.ask(request).await.map(Response::new)
    }

    async fn veto_tandem(&self, request: Request<api::VetoTandemRequest>) -> Answer<api::VetoTandemResponse> {
        self.veto(request).await.map(Response::new)
    }

    async fn decline_tandem(
        &self,
        request: Request<api::DeclineTandemRequest>,
    ) -> Answer<api::DeclineTandemResponse> {
        self.decline(request).await.map(Response::new)
    }

    async fn list_repairs(
        &self,
        request: Request<api::ListRepairsRequest>,
    ) -> Answer<api::ListRepairsResponse> {
        self.repairs(request).await.map(Response::new)
    }

    async fn dissolve_tandem(
        &self,
        request: Request<api::DissolveTandemRequest>,
    ) -> Answer<api::DissolveTandemResponse> {
        self.dissolve(request).await.map(Response::new)
    }
}

impl Matching {
    async fn connection(&self) -> Result<PoolConnection<Postgres>, Status> {
        self.pool.acquire().await.map_err(unavailable)
    }

    /// Begins work on several streams, unless the same command was carried out before.
    async fn begin(&self, context: &Context) -> Result<Begun<Views>, Status> {
        // Beginning knows no rules, so that any kind of rejection will do.
        self.journal.begin(context).await.map_err(|error| boot::refuse::<Rejection>(error.into()))
    }
}

/// The edition that a command names, in which nobody else forms tandems until the transaction ends.
async fn hold_edition(conn: &mut PgConnection, edition: EditionId) -> Result<EditionRow, Status> {
    editions::hold(conn, edition).await.map_err(unavailable)?.ok_or_else(|| not_found("edition"))
}

fn id<K>(field: &str, text: &str) -> Result<Id<K>, Status> {
    text.parse().map_err(|_| violation(field, "UUID", "must be a UUID"))
}

fn violation(field: &str, code: &'static str, message: &str) -> Status {
    status::invalid(vec![Violation { field: field.to_owned(), code, message: message.to_owned() }])
}
