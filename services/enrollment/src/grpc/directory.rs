//! `DirectoryService`.

use boot::{Page, not_found, refuse, unavailable};
use eventlog::{Begun, Receipt};
use identity::{OperationId, PersonId, Resource};
use proto::enrollment as api;
use proto::enrollment::directory_service_server::DirectoryService;
use tonic::{Request, Response, Status};

use super::import::{self, Report};
use super::{date, id, today};
use crate::Enrollment;
use crate::codec::{Person, optional_id_text};
use crate::domain::person::{Command, Leave};
use crate::views::directory::{self, Placed};
use crate::views::operations;
use crate::views::tandems;

/// The level of whoever does not hang below the top.
const LEVEL_UNKNOWN: i32 = -1;

#[tonic::async_trait]
impl DirectoryService for Enrollment {
    async fn create_import(
        &self,
        request: Request<api::CreateImportRequest>,
    ) -> Result<Response<api::CreateImportResponse>, Status> {
        let mut call = self.desk.receive(request).await?;
        call.allow(&import::resource()?)?;
        let operation = match self.begin(&call.context()).await? {
            Begun::Replayed(first) => OperationId::from_uuid(first.id),
            Begun::Work(mut work) => {
                let place = self.imports.place().ok_or_else(import::no_place)?;
                let import = import::of(&mut call, place);
                let (operation, runner) = (import.operation, self.imports.runner);
                self.imports.live().await.map_err(unavailable)?;
                operations::start(
                    work.unit().conn(),
                    operation,
                    runner,
                    import.mode,
                    import.dry_run,
                    call.now,
                )
                .await
                .map_err(unavailable)?;
                let receipt = Receipt { id: operation.uuid(), version: 0, position: 0 };
                work.commit(receipt).await.map_err(unavailable)?;
                self.imports.start(import);
                operation
            }
        };
        let operation = self.operation(operation).await?;
        Ok(Response::new(api::CreateImportResponse { operation: Some(operation) }))
    }

    async fn get_operation(
        &self,
        request: Request<api::GetOperationRequest>,
    ) -> Result<Response<api::GetOperationResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&import::resource()?)?;
        let operation = self.operation(id("operation_id", &call.message.operation_id)?).await?;
        Ok(Response::new(api::GetOperationResponse { operation: Some(operation) }))
    }

    async fn list_operation_issues(
        &self,
        request: Request<api::ListOperationIssuesRequest>,
    ) -> Result<Response<api::ListOperationIssuesResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&import::resource()?)?;
        let page = Page::<(i32, i32)>::of(call.message.page_size, &call.message.page_token)?;
        let operation = id("operation_id", &call.message.operation_id)?;
        let rows = operations::issues(&self.pool, operation, page.after, page.fetch()).await;
        let (rows, next_page_token) = page.cut(rows.map_err(unavailable)?, |row| (row.line, row.ordinal));
        let issues = rows.into_iter().map(import::issue).collect();
        Ok(Response::new(api::ListOperationIssuesResponse { issues, next_page_token }))
    }

    type DownloadImportReportStream = Report;

    async fn download_import_report(
        &self,
        request: Request<api::DownloadImportReportRequest>,
    ) -> Result<Response<Report>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&import::resource()?)?;
        let operation = id("operation_id", &call.message.operation_id)?;
        self.operation(operation).await?;
        Ok(Response::new(import::report(self.pool.clone(), operation)))
    }

    async fn list_people(
        &self,
        request: Request<api::ListPeopleRequest>,
    ) -> Result<Response<api::ListPeopleResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let page = Page::<(String, PersonId)>::of(call.message.page_size, &call.message.page_token)?;
        let after = page.after.as_ref().map(|(number, person)| (number.as_str(), *person));
        let below = optional_id("below_person_id", &call.message.below_person_id)?;
        let rows = directory::page(&self.pool, call.message.max_level, below, after, page.fetch()).await;
        let (rows, next_page_token) = page.cut(rows.map_err(unavailable)?, |row| {
            (row.listed.details.employee_number.clone(), row.listed.person)
        });
        let people = rows.into_iter().map(person).collect();
        Ok(Response::new(api::ListPeopleResponse { people, next_page_token }))
    }

    async fn get_reporting_line(
        &self,
        request: Request<api::GetReportingLineRequest>,
    ) -> Result<Response<api::GetReportingLineResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let person = self.placed(id("person_id", &call.message.person_id)?).await?.listed.person;
        let superiors = directory::superiors(&self.pool, person).await.map_err(unavailable)?;
        let common_superior = match optional_id("other_person_id", &call.message.other_person_id)? {
            None => None,
            Some(other) => {
                let other = self.placed(other).await?.listed.person;
                directory::common_superior(&self.pool, person, other).await.map_err(unavailable)?
            }
        };
        Ok(Response::new(api::GetReportingLineResponse {
            superior_person_ids: superiors.iter().map(ToString::to_string).collect(),
            common_superior_person_id: optional_id_text(common_superior),
        }))
    }

    async fn get_person(
        &self,
        request: Request<api::GetPersonRequest>,
    ) -> Result<Response<api::GetPersonResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let person_id = id("person_id", &call.message.person_id)?;
        let shown = if call.allow(&Resource::of(person_id)).is_ok() {
            person(self.placed(person_id).await?)
        } else {
            let parties = tandems::acquainted(&self.pool, person_id).await.map_err(unavailable)?;
            call.allow(&Resource::between(&parties))?;
            as_partner(person(self.placed(person_id).await?))
        };
        Ok(Response::new(api::GetPersonResponse { person: Some(shown) }))
    }

    async fn record_leaver(
        &self,
        request: Request<api::RecordLeaverRequest>,
    ) -> Result<Response<api::RecordLeaverResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let person = id("person_id", &call.message.person_id)?;
        call.allow(&Resource::of(person))?;
        let last_day = date("last_day", &call.message.last_day)?;
        let has_come = last_day <= today(call.now, "UTC")?;
        let command = if has_come { Command::Leave { last_day } } else { Command::Announce { last_day } };
        let receipt = self.journal.execute::<Person>(&call.context(), person.uuid(), command).await;
        let receipt = boot::receipt(&receipt.map_err(refuse)?);
        Ok(Response::new(api::RecordLeaverResponse { receipt }))
    }

    async fn record_absence(
        &self,
        request: Request<api::RecordAbsenceRequest>,
    ) -> Result<Response<api::RecordAbsenceResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let person = id("person_id", &call.message.person_id)?;
        call.allow(&Resource::of(person))?;
        let first_day = date("first_day", &call.message.first_day)?;
        let last_day = match call.message.last_day.as_str() {
            "" => None,
            last_day => Some(date("last_day", last_day)?),
        };
        let command = Command::BeAbsent(Leave { first_day, last_day });
        let receipt = self.journal.execute::<Person>(&call.context(), person.uuid(), command).await;
        let receipt = boot::receipt(&receipt.map_err(refuse)?);
        Ok(Response::new(api::RecordAbsenceResponse { receipt }))
    }

    async fn end_absence(
        &self,
        request: Request<api::EndAbsenceRequest>,
    ) -> Result<Response<api::EndAbsenceResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let person = id("person_id", &call.message.person_id)?;
        call.allow(&Resource::of(person))?;
        let first_day = date("first_day", &call.message.first_day)?;
        let command = Command::EndLeave { first_day, last_day: date("last_day", &call.message.last_day)? };
        let receipt = self.journal.execute::<Person>(&call.context(), person.uuid(), command).await;
        let receipt = boot::receipt(&receipt.map_err(refuse)?);
        Ok(Response::new(api::EndAbsenceResponse { receipt }))
    }

    async fn get_contact(
        &self,
        request: Request<api::GetContactRequest>,
    ) -> Result<Response<api::GetContactResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let Placed { listed, .. } = self.placed(id("person_id", &call.message.person_id)?).await?;
        let display_name = format!("{} {}", listed.details.given_name, listed.details.family_name);
        let contact =
            api::GetContactResponse { email: listed.details.email, display_name, active: listed.active };
        Ok(Response::new(contact))
    }
}

impl Enrollment {
    async fn placed(&self, person: PersonId) -> Result<Placed, Status> {
        let found = directory::find(&self.pool, person).await.map_err(unavailable)?;
        found.ok_or_else(|| not_found("person"))
    }

    async fn operation(&self, operation: OperationId) -> Result<api::Operation, Status> {
        let found = operations::find(&self.pool, operation).await.map_err(unavailable)?;
        found.map(import::operation).ok_or_else(|| not_found("operation"))
    }
}

/// An id that may be left out.
fn optional_id(field: &str, text: &str) -> Result<Option<PersonId>, Status> {
    if text.is_empty() { Ok(None) } else { id(field, text).map(Some) }
}

/// What the other of a tandem needs to know: who it is, where to write to, what the job is.
fn as_partner(person: api::Person) -> api::Person {
    api::Person {
        person_id: person.person_id,
        given_name: person.given_name,
        family_name: person.family_name,
        email: person.email,
        job_title: person.job_title,
        department: person.department,
        state: person.state,
        ..api::Person::default()
    }
}

fn person(Placed { listed, level, leads_others }: Placed) -> api::Person {
    let state = if listed.active { api::person::State::Active } else { api::person::State::Left };
    let details = listed.details;
    api::Person {
        person_id: listed.person.to_string(),
        employee_number: details.employee_number,
        given_name: details.given_name,
        family_name: details.family_name,
        email: details.email,
        job_title: details.job_title,
        department: details.department,
        hire_date: listed.place.hire_date.to_string(),
        manager_person_id: optional_id_text(listed.place.manager),
        level: level.unwrap_or(LEVEL_UNKNOWN),
        leads_others,
        state: state.into(),
    }
}
