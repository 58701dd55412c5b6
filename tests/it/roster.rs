//! The roster comes in whole or not at all, and says what is wrong where.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::company::roster;
use crate::world::World;

const ADVENTUREWORKS: &[u8] = include_bytes!("../../services/updraft/roster/adventureworks-employees.csv");

async fn events(world: &World) -> i64 {
    let pool = world.database.pool("reader");
    sqlx::query_scalar("select count(*) from eventlog.events").fetch_one(&pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_roster_comes_in_with_its_levels() {
    let world = World::new().await;
    let office = world.office(None);
    let operation = office.import(ADVENTUREWORKS).await;
    assert_eq!(operation["state"], "STATE_SUCCEEDED", "{operation:#}");
    assert_eq!(operation["progressPercent"], 100);
    assert_eq!(operation["counts"]["created"], 290);

    let mut by_level = BTreeMap::new();
    for person in office.list("/api/v1/people", "people").await {
        *by_level.entry(person["level"].as_i64().unwrap()).or_insert(0) += 1;
    }
    assert_eq!(by_level, BTreeMap::from([(0, 1), (1, 7), (2, 48), (3, 206), (4, 28)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn importing_the_same_again_changes_nothing_and_writes_no_event() {
    let world = World::new().await;
    let office = world.office(None);
    office.import(roster()).await;
    let before = events(&world).await;
    assert_eq!(before, 16);
    let again = office.import(roster()).await;
    assert_eq!(again["counts"]["unchanged"], 16);
    assert_eq!(again["counts"]["created"], 0);
    assert_eq!(events(&world).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_and_changes_nothing() {
    let world = World::new().await;
    let office = world.office(None);
    let started = office.upload("/api/v1/imports?dryRun=true", roster()).await.ok();
    let path = format!("/api/v1/operations/{}", started["operationId"].as_str().unwrap());
    let operation = loop {
        let operation = office.get(&path).await.ok();
        if operation["state"] != "STATE_RUNNING" {
            break operation;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(operation["counts"]["created"], 16, "{operation:#}");
    assert_eq!(operation["dryRun"], true);
    assert_eq!(office.list("/api/v1/people", "people").await, Vec::<Value>::new());
    assert_eq!(events(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn semicolons_and_a_byte_order_mark_are_understood() {
    let world = World::new().await;
    let file = format!("\u{feff}{}", roster().replace(',', ";"));
    assert_eq!(world.office(None).import(file).await["counts"]["created"], 16);
}

/// A file that must be refused: what is wrong with it, and the line, column and code that say so.
struct Bad {
    file: Vec<u8>,
    line: i64,
    column: &'static str,
    code: &'static str,
}

fn bad_files() -> Vec<Bad> {
    let replaced = |from: &str, to: &str| roster().replacen(from, to, 1).into_bytes();
    let latin_1 = {
        let mut file = replaced("GivenY1", "Ren?e");
        let at = file.windows(5).position(|window| window == b"Ren?e").unwrap() + 3;
        file[at] = 0xe9;
        file
    };
    let header_without_mail = roster().replacen("email,", "", 1).into_bytes();
    let twice = format!("{}Y1,E4,Other,Person,o@example.com,Job,Sales,2010-01-01,1988-01-01\n", roster())
        .into_bytes();
    let cycle = replaced("E4,E2,", "E4,Y1,");
    vec![
        Bad { file: header_without_mail, line: 1, column: "email", code: "MISSING_COLUMN" },
        Bad { file: twice, line: 18, column: "employee_number", code: "DUPLICATE_KEY" },
        Bad {
            file: replaced("1988-01-01", "1988-02-30"),
            line: 10,
            column: "birth_date",
            code: "INVALID_DATE",
        },
        Bad { file: latin_1, line: 10, column: "given_name", code: "NOT_UTF8" },
        Bad { file: cycle, line: 6, column: "manager_employee_number", code: "REPORTING_CYCLE" },
        Bad {
            file: replaced("Y1,E4,", "Y1,E99,"),
            line: 10,
            column: "manager_employee_number",
            code: "UNKNOWN_MANAGER",
        },
        Bad {
            file: replaced("Y1,E4,GivenY1", "Y1,E4,"),
            line: 10,
            column: "given_name",
            code: "MISSING_VALUE",
        },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_is_refused_by_line_and_column_and_nothing_is_half_imported() {
    let world = World::new().await;
    let office = world.office(None);
    for bad in bad_files() {
        let operation = office.import(bad.file).await;
        assert_eq!(operation["state"], "STATE_FAILED", "{}: {operation:#}", bad.code);
        let path = format!("/api/v1/operations/{}/issues", operation["operationId"].as_str().unwrap());
        let issues = office.list(&path, "issues").await;
        let found = issues.iter().any(|issue| {
            issue["line"] == bad.line && issue["column"] == bad.column && issue["code"] == bad.code
        });
        assert!(found, "line {}, {}, {}: {issues:#?}", bad.line, bad.column, bad.code);
    }
    assert_eq!(events(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_or_a_line_that_is_far_too_long_is_refused() {
    let world = World::new().await;
    let office = world.office(None);
    let long_line = format!(
        "{}Y9,E4,{},F,f@example.com,Job,Sales,2010-01-01,1988-01-01\n",
        roster(),
        "x".repeat(1 << 20)
    );
    let operation = office.import(long_line).await;
    assert_eq!(operation["state"], "STATE_FAILED");
    assert!(operation["detail"].as_str().unwrap().contains("line 18"), "{operation:#}");

    // A line of 200 MB never gets past the gateway.
    let chunk = vec![b'x'; 1 << 20];
    let endless = futures::stream::iter((0..200).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
    let refused = office.upload("/api/v1/imports", reqwest::Body::wrap_stream(endless)).await;
    refused.refused(413, "BODY_TOO_LARGE");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_csv_is_refused_before_it_is_read() {
    let world = World::new().await;
    let answer = world.office(None).post("/api/v1/imports", Value::Null).await;
    answer.refused(415, "UNSUPPORTED_MEDIA_TYPE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaver_is_no_longer_active_and_leaving_twice_is_leaving_once() {
    let world = World::new().await;
    let office = world.office(None);
    office.import(roster()).await;
    let people = office.list("/api/v1/people", "people").await;
    let person = people.iter().find(|person| person["employeeNumber"] == "Y3").unwrap();
    let path = format!("/api/v1/people/{}", person["personId"].as_str().unwrap());
    let leave = serde_json::json!({ "lastDay": "2013-08-09" });
    let first = office.post(&format!("{path}/leave"), leave.clone()).await.ok();
    let second = office.post(&format!("{path}/leave"), leave).await.ok();
    assert_eq!(first, second);
    assert_eq!(office.get(&path).await.ok()["state"], "STATE_LEFT");
}
