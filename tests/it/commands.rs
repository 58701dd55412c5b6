//! What holds for every command: idempotency, receipts, problems, and a service that is away.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::company::{Company, offer, settings};
use crate::world::World;

async fn create(office: &Client, key: &str, name: &str) -> Answer {
    let mut body = settings();
    body["name"] = json!(name);
    let headers = [("idempotency-key", key)];
    office.send(Method::POST, "/api/v1/editions", Some(json!({ "settings": body })), &headers).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_gets_the_stored_answer_and_another_body_is_refused() {
    let world = World::new().await;
    let office = world.office(None);
    let first = create(&office, "first", "One").await;
    let again = create(&office, "first", "One").await;
    assert_eq!((first.status, again.status), (again.status, reqwest::StatusCode::CREATED));
    assert_eq!((&first.body, &first.headers["location"]), (&again.body, &again.headers["location"]));
    create(&office, "first", "Two").await.refused(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(office.list("/api/v1/editions", "editions").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_at_the_same_moment_makes_one_resource() {
    let world = World::new().await;
    let office = world.office(None);
    let answers = futures::future::join_all((0..8).map(|_| create(&office, "burst", "One"))).await;
    for answer in answers {
        assert!(answer.status == 201 || answer.body["code"] == "IDEMPOTENCY_KEY_IN_USE", "{answer:?}");
    }
    assert_eq!(office.list("/api/v1/editions", "editions").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_callers_may_choose_the_same_key() {
    let company = Company::open().await;
    let path = format!("{}/applications", company.path());
    let headers = [("idempotency-key", "mine")];
    for number in ["Y1", "Y2"] {
        company.person(number).send(Method::POST, &path, Some(offer()), &headers).await.ok();
    }
    assert_eq!(company.office().list(&path, "applications").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_created_resource_has_a_location_a_version_and_a_position() {
    let world = World::new().await;
    let office = world.office(None);
    let created = create(&office, "one", "One").await;
    let location = created.headers["location"].to_str().unwrap().to_owned();
    assert!(created.headers.contains_key("updraft-position"));
    let read = office.get(&location).await;
    assert_eq!(read.headers["etag"], created.headers["etag"]);
    assert_eq!(read.ok()["settings"]["name"], "One");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_after_a_position_sees_the_write_in_every_service() {
    let company = Company::open().await;
    let applied = company.person("Y1").post(&format!("{}/applications", company.path()), offer()).await;
    let position = applied.headers["updraft-position"].to_str().unwrap().to_owned();
    let path = format!("{}/report", company.path());
    let headers = [("updraft-after", position.as_str())];
    let report = company.office().send(Method::GET, &path, None, &headers).await.ok();
    assert_eq!(report["funnel"]["applied"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_a_problem_document() {
    let world = World::new().await;
    let office = world.office(None);
    office.get("/api/v1/nowhere").await.refused(404, "PATH_NOT_FOUND");
    office.send(Method::DELETE, "/api/v1/editions", None, &[]).await.refused(405, "METHOD_NOT_ALLOWED");
    office.get("/api/v1/editions?pageToken=none-of-ours").await.refused(422, "INVALID_FIELDS");
    world.stranger().get("/api/v1/editions").await.refused(401, "TOKEN_MISSING");
    let problem =
        office.get("/api/v1/editions/0193a1b2-0000-7000-8000-000000000001").await.refused(404, "NOT_FOUND");
    assert_eq!(problem["instance"], "/api/v1/editions/0193a1b2-0000-7000-8000-000000000001");
    assert!(problem["type"].as_str().unwrap().ends_with("/problems/not-found"), "{problem:#}");
    let unknown =
        office.post("/api/v1/editions", json!({ "setings": {} })).await.refused(422, "INVALID_FIELDS");
    assert_eq!(unknown["errors"][0]["pointer"], "/setings");
    assert_eq!(unknown["errors"][0]["code"], "UNKNOWN_FIELD");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_walks_through_everything_once() {
    let company = Company::open().await;
    let office = company.office();
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = office.get(&format!("/api/v1/people?pageSize=3&pageToken={token}")).await.ok();
        let people = page["people"].as_array().unwrap();
        assert!(people.len() <= 3);
        seen.extend(people.iter().map(|person| person["employeeNumber"].as_str().unwrap().to_owned()));
        token = page["nextPageToken"].as_str().unwrap().to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 16);
    assert!(seen.is_sorted());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_is_503_with_retry_after() {
    let world = World::new().await;
    // A second gateway whose services are at an address where nobody listens.
    let args = crate::world::args(&[]);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let router = gateway::router(&args.gateway, &gateway::Services::at(nobody), world.keys()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = tokio_util::sync::CancellationToken::new();
    let server = tokio::spawn(gateway::serve(listener, router, shutdown.clone()));

    let token = world.token(&identity::Caller::system(identity::Role::Office));
    let answer = Client::new(address, Some(token)).get("/api/v1/editions").await;
    assert_eq!(answer.headers["retry-after"], "1");
    let problem: Value = answer.refused(503, "UNAVAILABLE");
    assert!(!problem.to_string().contains(&nobody.port().to_string()), "no inner address is told");
    shutdown.cancel();
    server.await.unwrap().unwrap();
}
