//! `ObligationService`.

use boot::{Page, not_found, refuse, unavailable};
use eventlog::Begun;
use identity::{Caller, ObligationId, Resource, Scope};
use proto::enrollment as api;
use proto::enrollment::obligation_service_server::ObligationService;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::{check_zone, hold_edition, id, ids, violation};
use crate::Enrollment;
use crate::codec::{self, Obligation, optional_id_text};
use crate::domain::obligation::{Acknowledgement, Command, Status as Stands};
use crate::views::obligations::{self, ObligationRow};

#[tonic::async_trait]
impl ObligationService for Enrollment {
    async fn acknowledge_obligation(
        &self,
        request: Request<api::AcknowledgeObligationRequest>,
    ) -> Result<Response<api::AcknowledgeObligationResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.scope()?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let obligation: ObligationId = id("obligation_id", &call.message.obligation_id)?;
        let availability = codec::availability(call.message.availability.clone().unwrap_or_default());
        check_zone("availability.time_zone", &availability.time_zone)?;
        let wishes = ids("wished_person_ids", &call.message.wished_person_ids)?;

        let receipt = match self.begin(&call.context()).await? {
            Begun::Replayed(first) => first,
            Begun::Work(mut work) => {
                let mut unit = work.unit();
                // First the obligation, then the edition: in this order an edition that ends takes them, too.
                unit.load::<Obligation>(obligation.uuid()).await.map_err(unavailable)?;
                let found = obligations::find(unit.conn(), obligation).await.map_err(unavailable)?;
                let executive = found.ok_or_else(|| not_found("obligation"))?.key.person;
                call.allow(&Resource::of(executive))?;

                let held = hold_edition(unit.conn(), edition).await?;
                let goals = call.message.goals.as_bytes();
                let acknowledgement = Box::new(Acknowledgement {
                    needs: call.message.needs.iter().cloned().map(codec::need).collect(),
                    sealed_goals: self.seal(unit.conn(), executive.uuid(), goals).await?,
                    wishes,
                    availability,
                });
                let (phase, topics) = (held.phase, held.rules.topics);
                let command = Command::Acknowledge { edition, phase, topics, acknowledgement };
                let receipt = unit.execute::<Obligation>(obligation.uuid(), command).await;
                work.commit(receipt.map_err(refuse)?).await.map_err(unavailable)?
            }
        };
        Ok(Response::new(api::AcknowledgeObligationResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn excuse_obligation(
        &self,
        request: Request<api::ExcuseObligationRequest>,
    ) -> Result<Response<api::ExcuseObligationResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let reason = codec::excuse_reason(call.message.reason)
            .ok_or_else(|| violation("reason", "DEFINED_ONLY", "must be set"))?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let obligation: ObligationId = id("obligation_id", &call.message.obligation_id)?;
        let command = Command::Excuse { edition, reason, approver: call.person()? };
        let receipt = self.journal.execute::<Obligation>(&call.context(), obligation.uuid(), command).await;
        let receipt = receipt.map_err(refuse)?;
        Ok(Response::new(api::ExcuseObligationResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn get_obligation(
        &self,
        request: Request<api::GetObligationRequest>,
    ) -> Result<Response<api::GetObligationResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.scope()?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let obligation = id("obligation_id", &call.message.obligation_id)?;
        let mut conn = self.connection().await?;
        let found = obligations::find(&mut *conn, obligation).await.map_err(unavailable)?;
        let row = found.filter(|row| row.key.edition == edition).ok_or_else(|| not_found("obligation"))?;
        call.allow(&Resource::of(row.key.person))?;
        let obligation = self.shown_obligation(&mut conn, &call.caller, row).await?;
        Ok(Response::new(api::GetObligationResponse { obligation: Some(obligation) }))
    }

    async fn list_obligations(
        &self,
        request: Request<api::ListObligationsRequest>,
    ) -> Result<Response<api::ListObligationsResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let person = match call.scope()? {
            Scope::All => None,
            Scope::Own(person) => Some(person),
        };
        let page = Page::<ObligationId>::of(call.message.page_size, &call.message.page_token)?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let mut conn = self.connection().await?;
        let rows = obligations::page(&mut *conn, edition, person, page.after, page.fetch()).await;
        let (rows, next_page_token) = page.cut(rows.map_err(unavailable)?, |row| row.key.obligation);
        let mut obligations = Vec::with_capacity(rows.len());
        for row in rows {
            obligations.push(self.shown_obligation(&mut conn, &call.caller, row).await?);
        }
        Ok(Response::new(api::ListObligationsResponse { obligations, next_page_token }))
    }
}

impl Enrollment {
    /// An obligation as this caller sees it: what the executive said is shown to the executive alone.
    async fn shown_obligation(
        &self,
        conn: &mut PgConnection,
        caller: &Caller,
        row: ObligationRow,
    ) -> Result<api::Obligation, Status> {
        let mut shown = api::Obligation {
            obligation_id: row.key.obligation.to_string(),
            edition_id: row.key.edition.to_string(),
            person_id: row.key.person.to_string(),
            display_name: row.display_name,
            state: state(row.status).into(),
            excuse_reason: row.excuse_reason.map(codec::excuse_reason_to_proto).unwrap_or_default(),
            approver_person_id: optional_id_text(row.approver),
            due_date: row.due_date.to_string(),
            escalation: row.escalation,
            etag: row.version.to_string(),
            ..api::Obligation::default()
        };
        if caller.person == Some(row.key.person) {
            shown.needs = row.needs.iter().map(codec::need_to_proto).collect();
            shown.goals = self.open(conn, row.key.person.uuid(), row.sealed_goals.as_deref()).await?;
            shown.wished_person_ids = codec::id_texts(&row.wishes);
            shown.availability = row.availability.as_ref().map(codec::availability_to_proto);
        }
        Ok(shown)
    }
}

fn state(status: Stands) -> api::obligation::State {
    use api::obligation::State;
    match status {
        Stands::Due => State::Due,
        Stands::Acknowledged => State::Acknowledged,
        Stands::Fulfilled => State::Fulfilled,
        Stands::Excused => State::Excused,
        Stands::Lapsed => State::Lapsed,
    }
}
