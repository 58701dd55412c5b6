use serde_json::json;

use crate::harness::{EDITION, World, errors, refused, send};

#[tokio::test]
async fn a_resource_has_all_its_fields_and_a_version() {
    let world = World::start().await;
    let edition = json!({"editionId": EDITION, "phase": "PHASE_OPEN", "obligedCount": 20, "etag": "9"});
    world.answers("GetEdition", json!({"edition": edition}));
    let path = format!("/api/v1/editions/{EDITION}");
    let answer = send(world.get(&path)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["etag"], "\"9\"");
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "private, no-cache");
    assert_eq!(answer.body["phase"], "PHASE_OPEN");
    assert_eq!(answer.body["copiedFromEditionId"], "", "defaults are written");
    assert!(answer.body.get("ageRule").is_none(), "what may be absent and is, is not written");

    let again = send(world.get(&path).header("If-None-Match", "\"8\", \"9\"")).await;
    assert_eq!((again.status, again.headers["etag"].as_str()), (304, "\"9\""));
    assert_eq!(send(world.get(&path).header("If-None-Match", "\"8\"")).await.status, 200);
}

#[tokio::test]
async fn a_list_takes_its_page_from_the_query() {
    let world = World::start().await;
    world.answers("ListPeople", json!({"people": [], "nextPageToken": "abc"}));
    let answer = send(world.get("/api/v1/people?pageSize=2&max_level=0&pageToken=x%20y")).await;
    assert_eq!(answer.body, json!({"people": [], "nextPageToken": "abc"}));
    assert_eq!(world.received().message, json!({"pageSize": 2, "maxLevel": 0, "pageToken": "x y"}));

    let wrong = world.get("/api/v1/people?pageSize=two&pageToken=a&pageToken=b&sort=name");
    let answer = refused(wrong, 422, "INVALID_FIELDS").await;
    let expected = [
        ("query", "/sort", "UNKNOWN_FIELD"),
        ("query", "/pageSize", "WRONG_TYPE"),
        ("query", "/pageToken", "GIVEN_TWICE"),
    ];
    assert_eq!(errors(&answer), expected);
}

#[tokio::test]
async fn an_enum_goes_by_its_name_and_an_instant_by_rfc_3339() {
    let world = World::start().await;
    world.answers("MissSession", json!({"receipt": {}}));
    let session = format!("/api/v1/editions/{EDITION}/tandems/{EDITION}/sessions/{EDITION}");
    let miss = send(world.post(&format!("{session}/miss")).json(&json!({"side": "SIDE_MENTOR"}))).await;
    assert_eq!(miss.status, 200, "{}", miss.body);
    assert_eq!(world.received().message["side"], "SIDE_MENTOR");
    let wrong = world.post(&format!("{session}/miss")).json(&json!({"side": "MENTOR"}));
    let answer = refused(wrong, 422, "INVALID_FIELDS").await;
    assert_eq!(errors(&answer), [("body", "/side", "WRONG_TYPE")]);

    world.answers("MoveSession", json!({"receipt": {}}));
    let moved =
        world.post(&format!("{session}/move")).json(&json!({"startTime": "2013-10-02T09:00:00+02:00"}));
    assert_eq!(send(moved).await.status, 200);
    assert_eq!(world.received().message["startTime"], "2013-10-02T07:00:00Z");
    let wrong = world.post(&format!("{session}/move")).json(&json!({"startTime": "tomorrow"}));
    let answer = refused(wrong, 422, "INVALID_FIELDS").await;
    assert_eq!(errors(&answer), [("body", "/startTime", "WRONG_TYPE")]);
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let world = World::start().await;
    world.answers("GetEdition", json!({"edition": {"editionId": EDITION, "etag": "9"}}));
    let path = format!("/api/v1/editions/{EDITION}");
    let answer = send(world.request(reqwest::Method::HEAD, &path)).await;
    assert_eq!((answer.status, answer.headers["etag"].as_str()), (200, "\"9\""));
    assert_eq!(answer.body, serde_json::Value::Null);
}

#[tokio::test]
async fn a_file_is_answered_with_as_it_is_part_by_part() {
    let world = World::start().await;
    let path = format!("/api/v1/operations/{EDITION}/report");
    world.answers("DownloadImportReport", json!([{"content": "bGluZTtrZXkK"}, {"content": "MjtFMQo="}]));
    let answer = world.get(&path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"import-report.csv\"");
    assert_eq!(answer.headers()["cache-control"], "private, no-cache");
    assert_eq!(answer.text().await.unwrap(), "line;key\n2;E1\n");
    assert_eq!(world.received().message, json!({"operationId": EDITION}));
}

#[tokio::test]
async fn a_file_that_is_refused_is_a_problem_like_any_other() {
    let world = World::start().await;
    let path = format!("/api/v1/operations/{EDITION}/report");
    let none = proto::status::refusal(tonic::Code::NotFound, "NOT_FOUND", "there is no such operation");
    world.refuses("DownloadImportReport", none);
    refused(world.get(&path), 404, "NOT_FOUND").await;
}
