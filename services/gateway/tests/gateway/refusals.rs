use std::time::Duration;

use identity::{Audience, Caller, Keys, Role};
use reqwest::Method;
use serde_json::json;
use tokio::net::TcpListener;
use tonic::{Code, Status};

use crate::harness::{EDITION, World, errors, refused, send};

#[tokio::test]
async fn without_a_valid_token_nobody_is_let_in() {
    let world = World::start().await;
    let get = || world.anonymous(Method::GET, "/api/v1/people");
    let answer = refused(get(), 401, "TOKEN_MISSING").await;
    assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"updraft\"");
    let foreign = Keys::generate().unwrap().issue(&Caller::system(Role::Ops), Audience::Updraft, 60).unwrap();
    let answer = refused(get().bearer_auth(foreign), 401, "TOKEN_INVALID").await;
    assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"updraft\", error=\"invalid_token\"");
    let statement = world.keys.issue(&Caller::system(Role::Service), Audience::Services, 60).unwrap();
    refused(get().bearer_auth(statement), 401, "TOKEN_INVALID").await;
    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_taken_are_problems_too() {
    let world = World::start().await;
    refused(world.get("/api/v1/unicorns"), 404, "PATH_NOT_FOUND").await;
    let answer = refused(world.request(Method::DELETE, "/api/v1/editions"), 405, "METHOD_NOT_ALLOWED").await;
    for method in ["GET", "HEAD", "POST"] {
        assert!(answer.headers["allow"].contains(method), "{method}");
    }
    let contact = format!("/api/v1/people/{EDITION}/contact");
    refused(world.get(&contact), 404, "PATH_NOT_FOUND").await;
    refused(world.get("/api/v1/people/%ff"), 400, "MALFORMED_URI").await;
}

#[tokio::test]
async fn a_body_that_is_no_json_is_400_and_says_where() {
    let world = World::start().await;
    let post = || world.post("/api/v1/editions").header("Content-Type", "application/json");
    let answer = refused(post().body("{\"settings\": {\"name\": }"), 400, "MALFORMED_JSON").await;
    assert!(answer.body["detail"].as_str().unwrap().contains("line 1 column 23"), "{}", answer.body);
    refused(post().body(vec![b'"', 0xff, b'"']), 400, "MALFORMED_JSON").await;
    refused(post().body("{} {}"), 400, "MALFORMED_JSON").await;
    refused(post().body("{\"settings\": ".repeat(50_000)), 400, "MALFORMED_JSON").await;
}

#[tokio::test]
async fn a_body_that_is_not_this_messages_is_422_and_says_where() {
    let world = World::start().await;
    let post = |body| world.post("/api/v1/editions").json(&body);
    let unknown = json!({"settings": {"nmae": "x", "topics": [{}, {"colour": "red"}]}, "a/b": 1});
    let answer = refused(post(unknown), 422, "INVALID_FIELDS").await;
    let mut found = errors(&answer);
    found.sort_unstable();
    let expected = [
        ("body", "/a~1b", "UNKNOWN_FIELD"),
        ("body", "/settings/nmae", "UNKNOWN_FIELD"),
        ("body", "/settings/topics/1/colour", "UNKNOWN_FIELD"),
    ];
    assert_eq!(found, expected);

    for (body, pointer) in [
        (json!({"settings": {"months": "many"}}), "/settings/months"),
        (json!({"settings": {"topics": [{"title": 5}]}}), "/settings/topics/0/title"),
        (json!({"settings": {"topics": {}}}), "/settings/topics"),
        (json!([]), ""),
        (json!("text"), ""),
    ] {
        let answer = refused(post(body), 422, "INVALID_FIELDS").await;
        assert_eq!(errors(&answer), [("body", pointer, "WRONG_TYPE")]);
    }

    let path = format!("/api/v1/editions/{EDITION}/copies");
    let answer = refused(world.post(&path).json(&json!({"editionId": EDITION})), 422, "INVALID_FIELDS").await;
    assert_eq!(errors(&answer), [("body", "/editionId", "UNKNOWN_FIELD")], "it stands in the path");
    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn a_body_too_large_or_of_another_kind_is_not_read() {
    let world = World::start().await;
    let post = || world.post("/api/v1/editions");
    refused(post().json(&json!({"x": "x".repeat(1 << 20)})), 413, "BODY_TOO_LARGE").await;
    let announced = post().header("Content-Length", "68719476736").body("");
    refused(announced, 413, "BODY_TOO_LARGE").await;
    refused(post().body("settings=1"), 415, "UNSUPPORTED_MEDIA_TYPE").await;
}

#[tokio::test]
async fn each_status_of_a_service_has_its_place_at_http() {
    let world = World::start().await;
    let path = format!("/api/v1/editions/{EDITION}");
    for (code, status) in [
        (Code::InvalidArgument, 422),
        (Code::Unauthenticated, 401),
        (Code::PermissionDenied, 403),
        (Code::NotFound, 404),
        (Code::AlreadyExists, 409),
        (Code::Aborted, 409),
        (Code::FailedPrecondition, 409),
        (Code::ResourceExhausted, 429),
        (Code::Unavailable, 503),
        (Code::DeadlineExceeded, 504),
        (Code::Internal, 500),
    ] {
        world.refuses("GetEdition", proto::status::refusal(code, "A_REASON", "a sentence"));
        let answer = refused(world.get(&path), status, "A_REASON").await;
        assert_eq!(answer.body["detail"], "a sentence");
        assert_eq!(answer.body["title"], "A reason");
        assert_eq!(answer.headers.contains_key("retry-after"), status == 503);
        assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401);
    }
    let reused = proto::status::refusal(Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED", "another body");
    world.refuses("GetEdition", reused);
    refused(world.get(&path), 422, "IDEMPOTENCY_KEY_REUSED").await;
}

#[tokio::test]
async fn the_text_of_a_failure_stays_inside() {
    let world = World::start().await;
    for (code, status, name) in [
        (Code::Internal, 500, "INTERNAL"),
        (Code::Unknown, 500, "INTERNAL"),
        (Code::Unavailable, 503, "UNAVAILABLE"),
    ] {
        world.refuses("GetEdition", Status::new(code, "password=hunter2 at db.internal"));
        let answer = refused(world.get(&format!("/api/v1/editions/{EDITION}")), status, name).await;
        assert!(!answer.body.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn a_service_that_is_down_is_503_and_asks_to_come_back() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap()).parse().unwrap();
    drop(free);
    let world = World::with(|_, services| services.matching_url = nobody).await;
    let runs = format!("/api/v1/editions/{EDITION}/match-runs");
    let answer = refused(world.get(&runs), 503, "UNAVAILABLE").await;
    assert_eq!(answer.headers["retry-after"], "1");
    world.answers("ListEditions", json!({}));
    assert_eq!(send(world.get("/api/v1/editions")).await.status, 200, "the others go on");
}

#[tokio::test]
async fn a_service_that_does_not_answer_in_time_is_504() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap()).parse().unwrap();
    let world = World::with(|_, services| services.analytics_url = url).await;
    let report = format!("/api/v1/editions/{EDITION}/report");
    let began = tokio::time::Instant::now();
    refused(world.get(&report), 504, "DEADLINE_EXCEEDED").await;
    assert!(began.elapsed() < Duration::from_secs(12));
}
