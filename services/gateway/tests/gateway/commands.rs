use reqwest::Method;
use serde_json::json;

use crate::harness::{EDITION, World, errors, refused, send};

fn receipt(id: &str) -> serde_json::Value {
    json!({"receipt": {"id": id, "etag": "1", "position": "42"}})
}

#[tokio::test]
async fn what_is_created_is_answered_with_its_place_version_and_position() {
    let world = World::start().await;
    world.answers("CopyEdition", receipt("0193a1b2-0000-7000-8000-000000000002"));
    let path = format!("/api/v1/editions/{EDITION}/copies");
    let body = json!({"name": "Fourth edition", "referenceDate": "2014-09-01"});
    let answer = send(world.post(&path).header("Idempotency-Key", "k-1").json(&body)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.headers["location"], "/api/v1/editions/0193a1b2-0000-7000-8000-000000000002");
    assert_eq!(answer.headers["etag"], "\"1\"");
    assert_eq!(answer.headers["updraft-position"], "42");
    assert_eq!(answer.body, receipt("0193a1b2-0000-7000-8000-000000000002")["receipt"]);

    let received = world.received();
    assert_eq!(received.message["editionId"], EDITION);
    assert_eq!(received.message["name"], "Fourth edition");
    assert_eq!(received.metadata["idempotency-key"], "k-1");
    assert_eq!(received.metadata["grpc-timeout"], "10000000u");
    assert!(received.caller.is(identity::Role::Office));
}

#[tokio::test]
async fn what_has_no_page_of_its_own_stands_below_the_path_of_the_request() {
    let world = World::start().await;
    world.answers("AskQuestion", receipt("0193a1b2-0000-7000-8000-00000000000a"));
    let path = format!("/api/v1/editions/{EDITION}/tandems/{EDITION}/questions");
    let answer = send(world.post(&path).json(&json!({"text": "What is a hashtag?"}))).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.headers["location"], format!("{path}/0193a1b2-0000-7000-8000-00000000000a"));
}

#[tokio::test]
async fn a_command_that_creates_nothing_is_200_and_needs_no_body() {
    let world = World::start().await;
    world.answers("OpenEdition", receipt(EDITION));
    let answer = send(world.post(&format!("/api/v1/editions/{EDITION}/open"))).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.headers.contains_key("location"));
}

#[tokio::test]
async fn a_change_needs_the_version_it_was_made_on() {
    let world = World::start().await;
    world.answers("PublishMatchRun", receipt(EDITION));
    let path = format!("/api/v1/editions/{EDITION}/match-runs/{EDITION}/publish");
    refused(world.post(&path), 428, "IF_MATCH_REQUIRED").await;
    refused(world.post(&path).header("If-Match", "*"), 400, "MALFORMED_IF_MATCH").await;
    refused(world.post(&path).header("If-Match", "W/\"7\""), 400, "MALFORMED_IF_MATCH").await;
    assert_eq!(world.calls(), 0);
    assert_eq!(send(world.post(&path).header("If-Match", "\"7\"")).await.status, 200);
    assert_eq!(world.received().message["etag"], "7");

    let stale = proto::status::refusal(tonic::Code::Aborted, "ETAG_MISMATCH", "somebody changed it since");
    world.refuses("PublishMatchRun", stale);
    let answer = refused(world.post(&path).header("If-Match", "\"7\""), 412, "ETAG_MISMATCH").await;
    assert_eq!(answer.body["type"], "/problems/etag-mismatch");
    assert_eq!(answer.body["detail"], "somebody changed it since");
}

#[tokio::test]
async fn a_body_that_is_one_field_is_that_field_alone() {
    let world = World::start().await;
    world.answers("UpdateEdition", receipt(EDITION));
    let path = format!("/api/v1/editions/{EDITION}/settings");
    let put = || world.request(Method::PUT, &path).header("If-Match", "\"3\"");
    let answer = send(put().json(&json!({"name": "Third edition", "months": 6}))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let received = world.received().message;
    assert_eq!(received["settings"], json!({"name": "Third edition", "months": 6}));
    assert_eq!((&received["editionId"], &received["etag"]), (&json!(EDITION), &json!("3")));

    let wrong = [
        proto::Violation {
            field: "settings.topics[2].topic_id".to_owned(),
            code: "PATTERN",
            message: "must match".to_owned(),
        },
        proto::Violation {
            field: "edition_id".to_owned(),
            code: "UUID",
            message: "must be a UUID".to_owned(),
        },
        proto::Violation { field: "etag".to_owned(), code: "ETAG", message: "must be the etag".to_owned() },
    ];
    world.refuses("UpdateEdition", proto::status::invalid(wrong.to_vec()));
    let answer = refused(put().json(&json!({})), 422, "INVALID_FIELDS").await;
    let expected = [
        ("body", "/topics/2/topicId", "PATTERN"),
        ("path", "/editionId", "UUID"),
        ("header", "/If-Match", "ETAG"),
    ];
    assert_eq!(errors(&answer), expected);
    assert_eq!(answer.body["detail"], "3 fields are wrong");
}

#[tokio::test]
async fn a_file_is_taken_as_it_is_and_starts_an_operation() {
    let world = World::start().await;
    world.answers("CreateImport", json!({"operation": {"operationId": EDITION, "state": "STATE_RUNNING"}}));
    let post = |path: &str| world.post(path).header("Content-Type", "text/csv; charset=utf-8");
    let answer = send(post("/api/v1/imports?dryRun=true").body("employee_number\n1\n")).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!(answer.headers["location"], format!("/api/v1/operations/{EDITION}"));
    assert_eq!(answer.body["operationId"], EDITION);
    assert_eq!(answer.body["issueCount"], 0, "defaults are written");
    let received = world.received();
    assert_eq!(received.message, json!({"content": "ZW1wbG95ZWVfbnVtYmVyCjEK", "dryRun": true}));
    assert_eq!(received.metadata["grpc-timeout"], "60000000u");

    let large = post("/api/v1/imports").body(vec![b'x'; 2 << 20]);
    assert_eq!(send(large).await.status, 202, "a file may be larger than other bodies");
    let json = world.post("/api/v1/imports").json(&json!({"content": ""}));
    refused(json, 415, "UNSUPPORTED_MEDIA_TYPE").await;
}

#[tokio::test]
async fn a_command_waits_for_what_its_caller_has_seen() {
    let world = World::start().await;
    world.answers("OpenEdition", receipt(EDITION));
    send(world.post(&format!("/api/v1/editions/{EDITION}/open")).header("Updraft-After", "41")).await;
    assert_eq!(world.received().metadata["updraft-after"], "41");
}
