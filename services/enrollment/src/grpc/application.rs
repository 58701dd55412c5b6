//! `ApplicationService`.

use boot::{Call, Page, not_found, refuse, unavailable};
use eventlog::{Begun, Receipt};
use identity::{ApplicationId, Resource, Scope};
use jiff::Timestamp;
use proto::enrollment as api;
use proto::enrollment::application_service_server::ApplicationService;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::{check_zone, hold_edition, id, ids, today, violation};
use crate::Enrollment;
use crate::codec::{self, Application};
use crate::domain::application::{
    Action, Command, DecisionReason, Key, Offering, Status as Stands, Submission,
};
use crate::domain::iso_date;
use crate::views::applications::{self, ApplicationRow};
use crate::views::directory;
use crate::views::editions::EditionRow;

#[tonic::async_trait]
impl ApplicationService for Enrollment {
    async fn submit_application(
        &self,
        request: Request<api::SubmitApplicationRequest>,
    ) -> Result<Response<api::SubmitApplicationResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::of(call.person()?))?;
        let receipt = self.submit(call).await?;
        Ok(Response::new(api::SubmitApplicationResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn request_information(
        &self,
        request: Request<api::RequestInformationRequest>,
    ) -> Result<Response<api::RequestInformationResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::RequestInformationRequest { edition_id, application_id, question } = &call.message;
        let named = Named { edition_id, application_id, text: Some(question) };
        let receipt = self.act(&call, named, Action::RequestInformation).await?;
        Ok(Response::new(api::RequestInformationResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn provide_information(
        &self,
        request: Request<api::ProvideInformationRequest>,
    ) -> Result<Response<api::ProvideInformationResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::ProvideInformationRequest { edition_id, application_id, answer } = &call.message;
        let named = Named { edition_id, application_id, text: Some(answer) };
        let receipt = self.act(&call, named, Action::ProvideInformation).await?;
        Ok(Response::new(api::ProvideInformationResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn accept_application(
        &self,
        request: Request<api::AcceptApplicationRequest>,
    ) -> Result<Response<api::AcceptApplicationResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::AcceptApplicationRequest { edition_id, application_id } = &call.message;
        let named = Named { edition_id, application_id, text: None };
        let receipt = self.act(&call, named, |_| Action::Accept).await?;
        Ok(Response::new(api::AcceptApplicationResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn waitlist_application(
        &self,
        request: Request<api::WaitlistApplicationRequest>,
    ) -> Result<Response<api::WaitlistApplicationResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::WaitlistApplicationRequest { edition_id, application_id, reason } = &call.message;
        let (named, reason) = (Named { edition_id, application_id, text: None }, decision_reason(*reason)?);
        let receipt = self.act(&call, named, |_| Action::Waitlist(reason)).await?;
        Ok(Response::new(api::WaitlistApplicationResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn decline_application(
        &self,
        request: Request<api::DeclineApplicationRequest>,
    ) -> Result<Response<api::DeclineApplicationResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::DeclineApplicationRequest { edition_id, application_id, reason } = &call.message;
        let (named, reason) = (Named { edition_id, application_id, text: None }, decision_reason(*reason)?);
        let receipt = self.act(&call, named, |_| Action::Decline(reason)).await?;
        Ok(Response::new(api::DeclineApplicationResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn withdraw_application(
        &self,
        request: Request<api::WithdrawApplicationRequest>,
    ) -> Result<Response<api::WithdrawApplicationResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::WithdrawApplicationRequest { edition_id, application_id } = &call.message;
        let named = Named { edition_id, application_id, text: None };
        let withdraw = |_| Action::Withdraw { left_company: false };
        let receipt = self.act(&call, named, withdraw).await?;
        Ok(Response::new(api::WithdrawApplicationResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn get_application(
        &self,
        request: Request<api::GetApplicationRequest>,
    ) -> Result<Response<api::GetApplicationResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.scope()?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let application = id("application_id", &call.message.application_id)?;
        let mut conn = self.connection().await?;
        let found = applications::find(&mut *conn, application).await.map_err(unavailable)?;
        let row = found.filter(|row| row.key.edition == edition).ok_or_else(|| not_found("application"))?;
        call.allow(&Resource::of(row.key.person))?;
        let application = self.shown_application(&mut conn, &row).await?;
        Ok(Response::new(api::GetApplicationResponse { application: Some(application) }))
    }

    async fn list_applications(
        &self,
        request: Request<api::ListApplicationsRequest>,
    ) -> Result<Response<api::ListApplicationsResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let person = match call.scope()? {
            Scope::All => None,
            Scope::Own(person) => Some(person),
        };
        let page = Page::<ApplicationId>::of(call.message.page_size, &call.message.page_token)?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let mut conn = self.connection().await?;
        let rows = applications::page(&mut *conn, edition, person, page.after, page.fetch()).await;
        let (rows, next_page_token) = page.cut(rows.map_err(unavailable)?, |row| row.key.application);
        let mut applications = Vec::with_capacity(rows.len());
        for row in &rows {
            applications.push(self.shown_application(&mut conn, row).await?);
        }
        Ok(Response::new(api::ListApplicationsResponse { applications, next_page_token }))
    }
}

/// What a command names, and the text it brings along.
struct Named<'a> {
    edition_id: &'a str,
    application_id: &'a str,
    text: Option<&'a str>,
}

impl Enrollment {
    async fn submit(&self, call: Call<api::SubmitApplicationRequest>) -> Result<Receipt, Status> {
        let (context, person, now) = (call.context(), call.person()?, call.now);
        let api::SubmitApplicationRequest {
            edition_id,
            offers,
            motivation,
            availability,
            capacity,
            wished_person_ids,
        } = call.message;
        let edition = id("edition_id", &edition_id)?;
        let wishes = ids("wished_person_ids", &wished_person_ids)?;
        let availability = codec::availability(availability.unwrap_or_default());
        check_zone("availability.time_zone", &availability.time_zone)?;

        let mut work = match self.begin(&context).await? {
            Begun::Replayed(first) => return Ok(first),
            Begun::Work(work) => work,
        };
        let mut unit = work.unit();
        let held = hold_edition(unit.conn(), edition).await?;
        let applicant = directory::applicant(unit.conn(), edition, person).await.map_err(unavailable)?;
        let mut applicant = applicant.ok_or_else(|| not_found("person"))?;
        let sealed = applicant.sealed_birth_date.as_deref();
        applicant.candidate.birth_date = iso_date(&self.open(unit.conn(), person.uuid(), sealed).await?);

        let key = Key { application: ApplicationId::mint(), edition, person };
        let offering = Offering {
            offers: offers.into_iter().map(codec::offer).collect(),
            sealed_motivation: self.seal(unit.conn(), person.uuid(), motivation.as_bytes()).await?,
            wishes,
            availability,
            capacity,
        };
        let submission = Submission {
            key,
            offering,
            rules: held.rules.clone(),
            maximum_age: held.maximum_age(today(now, &held.rules.time_zone)?),
            candidate: applicant.candidate,
            applied_already: applicant.applied_already,
        };
        let command = command(&held, now, Action::Submit(Box::new(submission)))?;
        let receipt = unit.execute::<Application>(key.application.uuid(), command).await.map_err(refuse)?;
        work.commit(receipt).await.map_err(unavailable)
    }

    /// Carries out an action on an application; its text is sealed with the applicant's key.
    async fn act<M>(
        &self,
        call: &Call<M>,
        named: Named<'_>,
        action: impl FnOnce(Vec<u8>) -> Action,
    ) -> Result<Receipt, Status> {
        // Whoever may never do this is not told whether the application exists.
        call.scope()?;
        let edition = id("edition_id", named.edition_id)?;
        let application: ApplicationId = id("application_id", named.application_id)?;
        let mut work = match self.begin(&call.context()).await? {
            Begun::Replayed(first) => return Ok(first),
            Begun::Work(work) => work,
        };
        let mut unit = work.unit();
        let found = applications::find(unit.conn(), application).await.map_err(unavailable)?;
        let applicant = found.ok_or_else(|| not_found("application"))?.key.person;
        call.allow(&Resource::of(applicant))?;

        let held = hold_edition(unit.conn(), edition).await?;
        let sealed = match named.text {
            Some(text) => self.seal(unit.conn(), applicant.uuid(), text.as_bytes()).await?,
            None => Vec::new(),
        };
        let command = command(&held, call.now, action(sealed))?;
        let receipt = unit.execute::<Application>(application.uuid(), command).await.map_err(refuse)?;
        work.commit(receipt).await.map_err(unavailable)
    }

    async fn shown_application(
        &self,
        conn: &mut PgConnection,
        row: &ApplicationRow,
    ) -> Result<api::Application, Status> {
        let applicant = row.key.person.uuid();
        let motivation = Some(row.offering.sealed_motivation.as_slice());
        Ok(api::Application {
            application_id: row.key.application.to_string(),
            edition_id: row.key.edition.to_string(),
            person_id: row.key.person.to_string(),
            state: state(row.status).into(),
            reason: row.reason.map(codec::decision_reason_to_proto).unwrap_or_default(),
            offers: row.offering.offers.iter().map(codec::offer_to_proto).collect(),
            availability: Some(codec::availability_to_proto(&row.offering.availability)),
            capacity: row.offering.capacity,
            motivation: self.open(conn, applicant, motivation).await?,
            question: self.open(conn, applicant, row.sealed_question.as_deref()).await?,
            answer: self.open(conn, applicant, row.sealed_answer.as_deref()).await?,
            promised_date: row.promised_date.to_string(),
            submit_time: Some(proto::time::to_proto(row.submitted_at)),
            etag: row.version.to_string(),
            wished_person_ids: codec::id_texts(&row.offering.wishes),
        })
    }
}

/// A command in the circumstances of its edition.
fn command(edition: &EditionRow, now: Timestamp, action: Action) -> Result<Command, Status> {
    let promised = edition.rules.promised(today(now, &edition.rules.time_zone)?);
    Ok(Command { edition: edition.edition, phase: edition.phase, promised, action })
}

fn decision_reason(number: i32) -> Result<DecisionReason, Status> {
    codec::decision_reason(number).ok_or_else(|| violation("reason", "DEFINED_ONLY", "must be set"))
}

fn state(status: Stands) -> api::application::State {
    use api::application::State;
    match status {
        Stands::Submitted => State::Submitted,
        Stands::NeedsInfo => State::NeedsInfo,
        Stands::Accepted => State::Accepted,
        Stands::Waitlisted => State::Waitlisted,
        Stands::Declined => State::Declined,
        Stands::Withdrawn => State::Withdrawn,
    }
}
