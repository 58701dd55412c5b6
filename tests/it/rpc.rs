//! The same by gRPC: what HR systems and other services call.

use identity::{Caller, Role};
use proto::api::{Availability, TopicLevel, Window};
use proto::enrollment::application_service_client::ApplicationServiceClient;
use proto::enrollment::directory_service_client::DirectoryServiceClient;
use proto::enrollment::{CreateImportRequest, GetOperationRequest, SubmitApplicationRequest, operation};
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_types::StatusExt;

use crate::company::{Company, roster};
use crate::world::World;

/// A connection to gRPC.
pub async fn channel(world: &World) -> Channel {
    Channel::from_shared(format!("http://{}", world.grpc())).unwrap().connect().await.unwrap()
}

/// A call in the name of a caller.
pub fn by<M>(world: &World, caller: &Caller, message: M) -> Request<M> {
    let mut request = Request::new(message);
    let bearer = MetadataValue::try_from(format!("Bearer {}", world.token(caller))).unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hr_system_imports_the_roster_by_grpc() {
    let world = World::new().await;
    let of = |source: &str| Caller { source: Some(source.parse().unwrap()), ..Caller::system(Role::Hris) };
    let hris = of("roster");
    let mut directory = DirectoryServiceClient::new(channel(&world).await);
    let foreign = CreateImportRequest { content: roster().into_bytes(), ..CreateImportRequest::default() };
    let refused = directory.create_import(by(&world, &of("payroll"), foreign)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "the roster is no source of its");
    let import = CreateImportRequest { content: roster().into_bytes(), ..CreateImportRequest::default() };
    let started = directory.create_import(by(&world, &hris, import)).await.unwrap().into_inner();
    let operation_id = started.operation.unwrap().operation_id;
    let done = loop {
        let request = GetOperationRequest { operation_id: operation_id.clone() };
        let operation = directory.get_operation(by(&world, &hris, request)).await.unwrap().into_inner();
        let operation = operation.operation.unwrap();
        if operation.state() != operation::State::Running {
            break operation;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((done.state(), done.counts.unwrap().created), (operation::State::Succeeded, 16));
}

fn application(edition: &str) -> SubmitApplicationRequest {
    SubmitApplicationRequest {
        edition_id: edition.to_owned(),
        offers: vec![TopicLevel { topic_id: "hashtags".to_owned(), level: 4 }],
        motivation: "I like to explain.".to_owned(),
        availability: Some(Availability {
            windows: vec![Window { weekday: 1, start_minute: 540, end_minute: 720 }],
            time_zone: "Europe/Berlin".to_owned(),
            languages: vec!["en".to_owned()],
        }),
        capacity: 1,
        wished_person_ids: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mentor_applies_by_grpc_and_a_refusal_bears_its_reason() {
    let company = Company::open().await;
    let world = &company.world;
    let mut applications = ApplicationServiceClient::new(channel(world).await);
    let young = Caller::of(company.id("Y1"), [Role::Participant]);
    let receipt = applications.submit_application(by(world, &young, application(&company.edition))).await;
    assert_eq!(receipt.unwrap().into_inner().receipt.unwrap().etag, "1");

    let old = Caller::of(company.id("Y8"), [Role::Participant]);
    let refused =
        applications.submit_application(by(world, &old, application(&company.edition))).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "MAXIMUM_AGE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_token_or_with_a_foreign_one_is_unauthenticated() {
    let world = World::new().await;
    let mut applications = ApplicationServiceClient::new(channel(&world).await);
    let edition = "0193a1b2-0000-7000-8000-000000000001";
    let nobody = applications.submit_application(Request::new(application(edition))).await.unwrap_err();
    assert_eq!(nobody.code(), Code::Unauthenticated);
    let mut forged = Request::new(application(edition));
    let foreign = identity::Keys::generate().unwrap();
    let office = Caller::system(Role::Office);
    let token = foreign.issue(&office, identity::Audience::Services, 60).unwrap();
    forged
        .metadata_mut()
        .insert("authorization", MetadataValue::try_from(format!("Bearer {token}")).unwrap());
    let refused = applications.submit_application(forged).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_fields_are_all_named() {
    let world = World::new().await;
    let mut applications = ApplicationServiceClient::new(channel(&world).await);
    let mut wrong = application("not-an-id");
    wrong.capacity = 7;
    let office = Caller::system(Role::Office);
    let refused = applications.submit_application(by(&world, &office, wrong)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let violations = refused.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["edition_id", "capacity"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_to_everybody() {
    let world = World::new().await;
    let address = format!("http://{}/readyz", world.whole.serving.admin);
    assert_eq!(reqwest::get(address).await.unwrap().status(), 200);
}
