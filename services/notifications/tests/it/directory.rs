//! A directory that answers one question, over gRPC and only to the system's own services.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use identity::{AuthLayer, Caller, Keys, PersonId, Role};
use proto::enrollment as e;
use proto::enrollment::directory_service_server::{DirectoryService, DirectoryServiceServer};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Server, Uri};
use tonic::{Request, Response, Status};

/// The people of a test, as the directory knows them.
#[derive(Clone, Default)]
pub(crate) struct Directory(Arc<Mutex<HashMap<String, e::GetContactResponse>>>);

impl Directory {
    /// Serves on a port of its own until the test ends.
    pub(crate) async fn serve(&self, keys: Keys) -> Uri {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = DirectoryServiceServer::new(self.clone());
        let server = Server::builder().layer(AuthLayer(keys)).add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        format!("http://{address}").parse().unwrap()
    }

    /// Takes a person in.
    pub(crate) fn add(&self, person: PersonId, display_name: &str, email: &str) {
        let (display_name, email) = (display_name.to_owned(), email.to_owned());
        let contact = e::GetContactResponse { email, display_name, active: true };
        self.0.lock().unwrap().insert(person.to_string(), contact);
    }

    /// Records that a person does not work here any more.
    pub(crate) fn leave(&self, person: PersonId) {
        self.0.lock().unwrap().get_mut(&person.to_string()).unwrap().active = false;
    }
}

#[tonic::async_trait]
impl DirectoryService for Directory {
    async fn get_contact(
        &self,
        request: Request<e::GetContactRequest>,
    ) -> Result<Response<e::GetContactResponse>, Status> {
        let caller = request.extensions().get::<Caller>();
        if !caller.is_some_and(|caller| caller.is(Role::Service)) {
            return Err(Status::permission_denied("only services ask"));
        }
        let contact = self.0.lock().unwrap().get(&request.get_ref().person_id).cloned();
        contact.map(Response::new).ok_or_else(|| Status::not_found("nobody"))
    }

    async fn create_import(
        &self,
        _: Request<e::CreateImportRequest>,
    ) -> Result<Response<e::CreateImportResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn get_operation(
        &self,
        _: Request<e::GetOperationRequest>,
    ) -> Result<Response<e::GetOperationResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn list_operation_issues(
        &self,
        _: Request<e::ListOperationIssuesRequest>,
    ) -> Result<Response<e::ListOperationIssuesResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    type DownloadImportReportStream = tonic::codegen::BoxStream<e::DownloadImportReportResponse>;

    async fn download_import_report(
        &self,
        _: Request<e::DownloadImportReportRequest>,
    ) -> Result<Response<Self::DownloadImportReportStream>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn list_people(
        &self,
        _: Request<e::ListPeopleRequest>,
    ) -> Result<Response<e::ListPeopleResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn get_reporting_line(
        &self,
        _: Request<e::GetReportingLineRequest>,
    ) -> Result<Response<e::GetReportingLineResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn get_person(
        &self,
        _: Request<e::GetPersonRequest>,
    ) -> Result<Response<e::GetPersonResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn record_absence(
        &self,
        _: Request<e::RecordAbsenceRequest>,
    ) -> Result<Response<e::RecordAbsenceResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn end_absence(
        &self,
        _: Request<e::EndAbsenceRequest>,
    ) -> Result<Response<e::EndAbsenceResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn record_leaver(
        &self,
        _: Request<e::RecordLeaverRequest>,
    ) -> Result<Response<e::RecordLeaverResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }
}
