//! Asks the directory for an address when a mail is sent; nothing of the answer is kept.

use std::time::Duration;

use identity::{Attest, Caller, Keys, PersonId, Role};
use proto::enrollment::GetContactRequest;
use proto::enrollment::directory_service_client::DirectoryServiceClient;
use telemetry::{ClientLayer, Traced};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Request, Status};
use tower::Layer;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Where people can be reached.
#[derive(Clone)]
pub struct Contacts(DirectoryServiceClient<InterceptedService<Traced<Channel>, Attest>>);

/// How a person can be reached.
///
/// It has no `Debug`, so that it does not end up in a log.
pub struct Contact {
    /// Work address.
    pub email: String,
    /// Given and family name, without characters that mean something in a header or a calendar.
    pub name: String,
    /// Whether the person still works here.
    pub active: bool,
}

impl Contacts {
    /// Contacts from the directory at an address, which is connected to when it is first asked. Must be called in a runtime.
    #[must_use]
    pub fn at(enrollment: Uri, keys: Keys) -> Self {
        let channel = Endpoint::from(enrollment).connect_timeout(CONNECT_TIMEOUT).connect_lazy();
        let attest = Attest::new(keys, Caller::system(Role::Service));
        let connection = InterceptedService::new(ClientLayer::grpc().layer(channel), attest);
        Self(DirectoryServiceClient::new(connection))
    }

    /// Asks for one person; none if the directory knows nobody of that id.
    ///
    /// # Errors
    /// The status of the directory, if it does not answer.
    pub async fn of(&self, person: PersonId) -> Result<Option<Contact>, Status> {
        let mut request = Request::new(GetContactRequest { person_id: person.to_string() });
        request.set_timeout(ANSWER_TIMEOUT);
        match self.0.clone().get_contact(request).await {
            Ok(answer) => {
                let answer = answer.into_inner();
                let name =
                    answer.display_name.replace(|letter: char| letter.is_control() || letter == '"', " ");
                Ok(Some(Contact { email: answer.email, name: name.trim().to_owned(), active: answer.active }))
            }
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
    }
}
