//! The upload of the programme office as a run: who is absent, who reports to whom, what became of each line.

use std::fmt::Write;
use std::time::Duration;

use csv::{ReaderBuilder, StringRecord};
use proto::hris::{SyncMode, Worker};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::client::Client;
use crate::company::roster;
use crate::hris::payroll::{Payroll, upsert, workers};
use crate::world::World;

mod broken;

const HEADER: &str =
    "employee_number,manager_employee_number,given_name,family_name,email,job_title,department,hire_date";

/// How long something is waited for that is to happen at once.
const PATIENCE: Duration = Duration::from_mins(1);

/// So many people make an import that would hold everybody up if it were one transaction.
const MANY: usize = 20_000;

async fn issues(office: &Client, operation: &Value) -> Vec<(String, String, i64, bool)> {
    let path = format!("/api/v1/operations/{}/issues", operation["operationId"].as_str().unwrap());
    let issues = office.list(&path, "issues").await;
    let text = |issue: &Value, field: &str| issue[field].as_str().unwrap().to_owned();
    let told = |issue: &Value| {
        let (line, refused) = (issue["line"].as_i64().unwrap(), issue["refused"].as_bool().unwrap());
        (text(issue, "key"), text(issue, "code"), line, refused)
    };
    issues.iter().map(told).collect()
}

async fn report(office: &Client, operation: &Value) -> Vec<StringRecord> {
    let path = format!("/api/v1/operations/{}/report", operation["operationId"].as_str().unwrap());
    let (headers, file) = office.download(&path).await;
    assert_eq!(headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(headers["content-disposition"], "attachment; filename=\"import-report.csv\"");
    let text = file.strip_prefix("\u{feff}".as_bytes()).expect("a byte order mark");
    let mut lines = ReaderBuilder::new().delimiter(b';').from_reader(text);
    assert_eq!(lines.headers().unwrap(), vec!["line", "key", "outcome", "column", "code", "detail"]);
    lines.records().map(Result::unwrap).collect()
}

/// How many people work here.
async fn active(office: &Client) -> usize {
    let people = office.list("/api/v1/people", "people").await;
    people.iter().filter(|person| person["state"] == "STATE_ACTIVE").count()
}

/// People of a company of another name, below a top of their own.
fn other_company(people: usize) -> String {
    let mut file = format!("{HEADER}\n");
    for number in 0..people {
        let superior = if number == 0 { String::new() } else { format!("Z{}", number / 10) };
        writeln!(file, "Z{number},{superior},Given,Family,z{number}@example.org,Job,Sales,2010-01-01")
            .unwrap();
    }
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_companys_file_makes_nobody_leave_until_a_person_says_so() {
    let world = World::new().await;
    let office = world.office(None);
    office.import(roster()).await;
    let upload = async || office.import_as("mode=SYNC_MODE_FULL_SNAPSHOT", other_company(200)).await;
    let run = |operation: &Value| format!("/api/v1/sync-runs/{}", operation["syncRunId"].as_str().unwrap());

    let held = upload().await;
    assert_eq!(
        (&held["state"], &held["counts"]["left"]),
        (&"STATE_SUCCEEDED".into(), &16.into()),
        "{held:#}"
    );
    assert_ne!(held["detail"], "");
    assert_eq!(office.get(&run(&held)).await.ok()["state"], "STATE_HELD");
    assert_eq!(active(&office).await, 216);
    let dropped = office.post(&format!("{}/drop", run(&held)), json!({})).await.ok();
    assert_eq!(dropped["state"], "STATE_ABORTED");
    assert_eq!(active(&office).await, 216);

    let held = upload().await;
    office.post(&format!("{}/release", run(&held)), json!({})).await.ok();
    assert_eq!(active(&office).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_absent_from_a_snapshot_has_left_within_the_bound() {
    let world = World::new().await;
    let office = world.office(None);
    office.import(roster()).await;
    let without = |number: &str| {
        let kept: Vec<_> =
            roster().lines().filter(|line| !line.starts_with(number)).map(str::to_owned).collect();
        kept.join("\n")
    };
    let delta = office.import(without("Y7,")).await;
    assert_eq!((&delta["counts"]["left"], &delta["mode"]), (&0.into(), &"SYNC_MODE_DELTA".into()));
    let tried = office.import_as("mode=SYNC_MODE_FULL_SNAPSHOT&dryRun=true", without("Y7,")).await;
    assert_eq!((&tried["counts"]["left"], active(&office).await), (&1.into(), 16), "{tried:#}");
    let bound = "mode=SYNC_MODE_FULL_SNAPSHOT&leaversPercentMax=5";
    let held = office.import_as(bound, without("Y7,")).await;
    assert_ne!(held["detail"], "", "1 of 16 is more than 5 per cent");
    assert_eq!(active(&office).await, 16);
    let done = office.import_as("mode=SYNC_MODE_FULL_SNAPSHOT", without("Y7,")).await;
    assert_eq!((&done["counts"]["left"], &done["detail"]), (&1.into(), &"".into()));
    assert_eq!(active(&office).await, 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_leaves_by_a_snapshot_of_which_a_line_says_nobody() {
    let world = World::new().await;
    let office = world.office(None);
    office.import(roster()).await;
    // Of one line the number is lost, another is wrong and says whom it is about.
    let file = roster().replace("Y7,E5", ",E5").replace("GivenY6", "");
    let operation = office.import_as("mode=SYNC_MODE_FULL_SNAPSHOT", file).await;
    assert_eq!((&operation["state"], &operation["counts"]["left"]), (&"STATE_SUCCEEDED".into(), &0.into()));
    assert!(operation["detail"].as_str().unwrap().starts_with("Some records do not say"), "{operation:#}");
    assert_eq!(active(&office).await, 16);
    let whole = office.import_as("mode=SYNC_MODE_FULL_SNAPSHOT", roster().replace("GivenY6", "")).await;
    assert_eq!((&whole["counts"]["rejected"], &whole["counts"]["left"]), (&1.into(), &0.into()), "{whole:#}");
    assert_eq!((&whole["detail"], active(&office).await), (&"".into(), 16));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_ends_people_of_its_roster_and_the_next_file_is_newer_than_whatever_was_said() {
    let world = World::new().await;
    let office = world.office(None);
    office.import(roster()).await;
    let end = async |number: &str, kind: &str| {
        let path = format!("/api/v1/sources/roster/workers/{number}/remove");
        office.post(&path, json!({ "kind": kind })).await
    };
    for (number, kind) in [("Y1", "KIND_LEFT"), ("Y2", "KIND_RESCINDED"), ("Y3", "KIND_ERASED")] {
        end(number, kind).await.ok();
    }
    end("Y3", "KIND_ERASED").await.refused(404, "NOT_FOUND");
    assert_eq!(active(&office).await, 13);
    // Another client of the same source counts in milliseconds.
    let payroll = Payroll::of(&world, "roster").await;
    let run = payroll.open(SyncMode::Delta).await;
    let worker = Worker { source_version: 1_376_290_800_000, ..workers().pop().unwrap() };
    payroll.send(&run, [upsert(worker)]).await;
    payroll.try_finish(&run, 1).await.unwrap();

    let again = office.import(roster()).await;
    let counts = &again["counts"];
    assert_eq!((&counts["created"], &counts["updated"]), (&2.into(), &1.into()), "{again:#}");
    assert_eq!((&counts["unchanged"], &counts["stale"]), (&13.into(), &0.into()), "{again:#}");
    assert_eq!(active(&office).await, 16);
    let path = "/api/v1/sources/payroll/workers/Y1/remove";
    office.post(path, json!({ "kind": "KIND_LEFT" })).await.refused(403, "PERMISSION_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_few_files_wait_and_the_next_one_is_told_to_come_back() {
    let world = World::new().await;
    let office = world.office(None);
    let mut directory = world.database.pool("enrollment").begin().await.unwrap();
    let hold = "select pg_advisory_xact_lock(hashtextextended('directory', 0))";
    sqlx::query(hold).execute(&mut *directory).await.unwrap();
    let mut waiting = Vec::new();
    for _ in 0..4 {
        waiting.push(started(&office).await);
    }
    office.upload("/api/v1/imports", roster()).await.refused(429, "TOO_MANY_IMPORTS");
    directory.commit().await.unwrap();
    for operation in waiting {
        ended(&office, &operation).await;
    }
    assert_eq!(office.import(roster()).await["counts"]["unchanged"], 16);
}

/// How an upload stands once it is not running any more.
async fn ended(office: &Client, operation: &str) -> Value {
    let ended = async {
        loop {
            let read = office.get(operation).await.ok();
            if read["state"] != "STATE_RUNNING" {
                return read;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, ended).await.expect("an end")
}

/// Starts an upload; its path.
async fn started(office: &Client) -> String {
    let started = office.upload("/api/v1/imports", roster()).await.ok();
    format!("/api/v1/operations/{}", started["operationId"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_circle_a_superior_who_never_comes_and_a_second_top_are_said_and_taken_over() {
    let world = World::new().await;
    let office = world.office(None);
    let file = roster().replace("E4,E2,", "E4,Y1,").replace("Y5,E5,", "Y5,E99,").replace("H1,E1,", "H1,,");
    let operation = office.import(file).await;
    assert_eq!(operation["counts"]["created"], 16, "{operation:#}");
    let mut found = issues(&office, &operation).await;
    let circle = found.iter().filter(|(_, code, ..)| code == "REPORTING_CYCLE").count();
    assert!(circle > 0, "{found:?}");
    found.retain(|(_, code, ..)| code != "REPORTING_CYCLE");
    let expected = [("H1", "SECOND_TOP", 5, false), ("Y5", "UNKNOWN_MANAGER", 14, false)];
    assert_eq!(
        found,
        expected.map(|(key, code, line, refused)| (key.to_owned(), code.to_owned(), line, refused))
    );

    let rows = report(&office, &operation).await;
    let row = rows.iter().find(|row| &row[1] == "Y5").unwrap();
    let said = ["14", "Y5", "created", "manager_employee_number", "UNKNOWN_MANAGER"];
    assert_eq!(row.iter().take(5).collect::<Vec<_>>(), said);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_says_what_became_of_every_line_and_opens_in_a_spreadsheet() {
    let world = World::new().await;
    let office = world.office(None);
    office.import(roster()).await;
    let file = roster().replace("GivenY1", "Other").replace("GivenY2,FamilyY2", ",");
    let operation =
        office.import(format!("{file}=1+1,E4,Given,Family,f@example.com,Job,Sales,2010-01-01,\n")).await;
    let rows = report(&office, &operation).await;
    let cells = |key: &str| -> Vec<Vec<String>> {
        let of_key = rows.iter().filter(|row| &row[1] == key);
        of_key.map(|row| row.iter().take(5).map(str::to_owned).collect()).collect()
    };
    assert_eq!(rows.len(), 18, "{rows:?}");
    assert_eq!(cells("E1"), [["2", "E1", "unchanged", "", ""]]);
    assert_eq!(cells("Y1"), [["10", "Y1", "updated", "", ""]]);
    let twice_wrong = [
        ["11", "Y2", "rejected", "given_name", "MISSING_VALUE"],
        ["11", "Y2", "rejected", "family_name", "MISSING_VALUE"],
    ];
    assert_eq!(cells("Y2"), twice_wrong);
    assert_eq!(cells("'=1+1"), [["18", "'=1+1", "created", "", ""]], "no formula");

    let refused = office.import("employee_number\n1\n").await;
    let rows = report(&office, &refused).await;
    assert!(rows.iter().all(|row| (&row[0], &row[2], &row[4]) == ("1", "", "MISSING_COLUMN")), "{rows:?}");
    assert_eq!(rows.len(), 7);
    let unknown = "/api/v1/operations/0193a1b2-0000-7000-8000-000000000001/report";
    office.get(unknown).await.refused(404, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_while_a_large_file_comes_in_is_seen_by_every_service_meanwhile() {
    let world = World::new().await;
    let office = world.office(None);
    office.import(roster()).await;
    let started = office.upload("/api/v1/imports", other_company(MANY)).await.ok();
    let path = format!("/api/v1/operations/{}", started["operationId"].as_str().unwrap());
    let (mut seen_meanwhile, mut steps) = (0, Vec::new());
    let operation = loop {
        let edition = json!({ "settings": crate::company::settings() });
        let created = office.post("/api/v1/editions", edition).await;
        let position = created.headers["updraft-position"].to_str().unwrap().to_owned();
        let edition = created.id();
        let rules = format!("/api/v1/editions/{edition}/scoring-rules");
        office.send(reqwest::Method::GET, &rules, None, &[("updraft-after", &position)]).await.ok();
        let operation = office.get(&path).await.ok();
        if operation["state"] != "STATE_RUNNING" {
            break operation;
        }
        seen_meanwhile += 1;
        steps.push(operation["progressPercent"].as_i64().unwrap());
    };
    assert_eq!(operation["counts"]["created"], MANY, "{operation:#}");
    assert!(seen_meanwhile > 0);
    assert!(steps.is_sorted() && steps.iter().any(|step| (1..100).contains(step)), "{steps:?}");
    let again = office.import(other_company(MANY)).await;
    assert_eq!(again["counts"]["unchanged"], MANY);
    let rows = report(&office, &again).await;
    assert_eq!(rows.iter().filter(|row| &row[2] == "unchanged").count(), MANY);
}
