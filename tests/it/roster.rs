//! The roster comes in line by line, and says what is wrong where.

use serde_json::{Value, json};

use crate::client::Client;
use crate::company::roster;
use crate::world::World;

async fn events(world: &World) -> i64 {
    let pool = world.database.pool("reader");
    sqlx::query_scalar("select count(*) from eventlog.events").fetch_one(&pool).await.unwrap()
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
async fn a_dry_run_counts_as_the_import_does_and_changes_nothing() {
    let world = World::new().await;
    let office = world.office(None);
    let bad_line = format!("{}Y9,E4,,F,f@example.com,Job,Sales,2010-01-01,\n", roster());
    let tried = office.import_as("dryRun=true", bad_line.clone()).await;
    assert_eq!((&tried["dryRun"], &tried["counts"]["created"]), (&Value::from(true), &Value::from(16)));
    assert_eq!(office.list("/api/v1/people", "people").await, Vec::<Value>::new());
    assert_eq!(events(&world).await, 0);
    let done = office.import(bad_line).await;
    assert_eq!(done["counts"], tried["counts"], "{done:#}");
    assert_eq!(done["counts"]["rejected"], 1);
    assert_eq!(issues(&office, &tried).await, issues(&office, &done).await);

    let moved = roster().replace("Y1,E4,", "Y1,E5,").replace("GivenY2", "Other");
    let again = office.import_as("dryRun=true", moved.clone()).await;
    assert_eq!((&again["counts"]["updated"], &again["counts"]["unchanged"]), (&2.into(), &14.into()));
    assert_eq!(office.import(moved).await["counts"], again["counts"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn semicolons_and_a_byte_order_mark_are_understood() {
    let world = World::new().await;
    let file = format!("\u{feff}{}", roster().replace(',', ";"));
    assert_eq!(world.office(None).import(file).await["counts"]["created"], 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_german_spreadsheet_saves_is_read_and_the_encoding_is_said() {
    let world = World::new().await;
    let office = world.office(None);
    let german =
        "Personalnummer,Vorgesetzter,Vorname,Nachname,E-Mail,Stelle,Abteilung,Eintrittsdatum,Geburtsdatum";
    let (_, people) =
        roster().split_once('\n').map(|(one, other)| (one.to_owned(), other.to_owned())).unwrap();
    let file = format!("{german}\r\n{}", people.replace('\n', "\r\n"));
    let file = file.replace("GivenY1", "J?rg").replace(',', ";").replace("2010-01-01", "01.01.2010");
    let windows_1252: Vec<u8> = file.bytes().map(|byte| if byte == b'?' { 0xf6 } else { byte }).collect();

    let operation = office.import(windows_1252).await;
    assert_eq!(operation["counts"]["created"], 16, "{operation:#}");
    assert_eq!((&operation["encoding"], &operation["delimiter"]), (&"windows-1252".into(), &";".into()));
    let issues = issues(&office, &operation).await;
    let said =
        json!({ "line": 10, "key": "", "column": "Vorname", "code": "WINDOWS_1252", "refused": false });
    assert_eq!(without_detail(&issues), [said]);
    let people = office.list("/api/v1/people", "people").await;
    let person = people.iter().find(|person| person["employeeNumber"] == "Y1").unwrap();
    assert_eq!((&person["givenName"], &person["hireDate"]), (&"Jörg".into(), &"2010-01-01".into()));
}

/// What is wrong with the file of an operation, by line.
async fn issues(office: &Client, operation: &Value) -> Vec<Value> {
    let path = format!("/api/v1/operations/{}/issues", operation["operationId"].as_str().unwrap());
    let issues = office.list(&path, "issues").await;
    assert_eq!(issues.len() as u64, operation["issueCount"].as_u64().unwrap());
    issues
}

/// Issues without their sentences, none of which is empty.
fn without_detail(issues: &[Value]) -> Vec<Value> {
    let without = |issue: &Value| {
        let mut issue = issue.clone();
        let detail = issue.as_object_mut().unwrap().remove("detail").unwrap();
        assert_ne!(detail, "");
        issue
    };
    issues.iter().map(without).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_lines_are_rejected_by_line_and_column_and_the_others_are_taken_over() {
    let world = World::new().await;
    let office = world.office(None);
    let person = |line: &str| roster().lines().find(|other| other.starts_with(line)).unwrap().to_owned();
    let rejoined = person("Y1,").replace("GivenY1", "Somebody");
    let long = person("Y8,").replace("GivenY8", &"x".repeat(10_000));
    let file = roster()
        .replace("1989-01-01", "1989-02-30")
        .replace("GivenY3", "")
        .replace("y5@example.com", "y5")
        .replace(&person("Y6,"), "Y6,E5,GivenY6")
        .replace(&person("Y8,"), &long);
    let operation = office.import(format!("{file}{rejoined}\n")).await;
    assert_eq!(operation["state"], "STATE_SUCCEEDED", "{operation:#}");
    assert_eq!((&operation["counts"]["created"], &operation["counts"]["rejected"]), (&10.into(), &7.into()));

    let issue = |line: i32, key: &str, column: &str, code: &str| json!({ "line": line, "key": key, "column": column, "code": code, "refused": true });
    let expected = [
        issue(10, "Y1", "employee_number", "DUPLICATE_KEY"),
        issue(11, "Y2", "birth_date", "INVALID_DATE"),
        issue(12, "Y3", "given_name", "MISSING_VALUE"),
        issue(14, "Y5", "email", "NOT_AN_ADDRESS"),
        issue(15, "", "", "CELL_COUNT"),
        issue(17, "Y8", "given_name", "TOO_LONG"),
        issue(18, "Y1", "employee_number", "DUPLICATE_KEY"),
    ];
    let found = issues(&office, &operation).await;
    assert_eq!(without_detail(&found), expected);
    assert!(found[0]["detail"].as_str().unwrap().contains("lines 10, 18"), "{}", found[0]);
    let people = office.list("/api/v1/people", "people").await;
    let numbers: Vec<_> = people.iter().map(|person| person["employeeNumber"].as_str().unwrap()).collect();
    assert_eq!(numbers, ["E1", "E2", "E3", "E4", "E5", "H1", "H2", "H3", "Y4", "Y7"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_whole_or_no_roster_is_refused_and_nothing_is_half_imported() {
    let world = World::new().await;
    let office = world.office(None);
    let cut = |after: &str| roster()[..roster().find(after).unwrap() + after.len()].to_owned();
    let utf_16: Vec<u8> = roster().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let long_line = "x".repeat(1 << 20);
    let bad_files: [(&str, Vec<u8>, i64, &str, &str); 7] = [
        ("", roster().replacen("email,", "", 1).into(), 1, "email", "MISSING_COLUMN"),
        ("", cut("FamilyY4,y4@").into(), 13, "", "CUT_OFF"),
        ("", roster().replacen("GivenY8", "\"GivenY8", 1).into(), 17, "given_name", "CUT_OFF"),
        ("expectedPeople=17", roster().into(), 17, "", "UNEXPECTED_NUMBER"),
        ("", utf_16, 1, "", "UTF_16"),
        ("", format!("{}Y9,E4,{long_line},F,\n", roster()).into(), 18, "", "LINE_TOO_LONG"),
        ("", Vec::new(), 1, "", "EMPTY_FILE"),
    ];
    for (parameters, file, line, column, code) in bad_files {
        let operation = office.import_as(parameters, file).await;
        assert_eq!(operation["state"], "STATE_FAILED", "{code}: {operation:#}");
        assert!(operation["detail"].as_str().unwrap().contains(&format!("line {line}")), "{operation:#}");
        let expected = json!({ "line": line, "key": "", "column": column, "code": code, "refused": true });
        assert_eq!(without_detail(&issues(&office, &operation).await), [expected]);
    }
    assert_eq!(events(&world).await, 0);
    assert_eq!(office.import_as("expectedPeople=16", roster()).await["counts"]["created"], 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_an_end_never_gets_past_the_gateway() {
    let world = World::new().await;
    let chunk = vec![b'x'; 1 << 20];
    let endless = futures::stream::iter((0..200).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
    let refused = world.office(None).upload("/api/v1/imports", reqwest::Body::wrap_stream(endless)).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn the_office_sees_who_stands_above_and_below_whom() {
    let world = World::new().await;
    let office = world.office(None);
    office.import(roster()).await;
    let people = office.list("/api/v1/people", "people").await;
    let id = |number: &str| {
        let person = people.iter().find(|person| person["employeeNumber"] == number).unwrap();
        person["personId"].as_str().unwrap().to_owned()
    };
    let line = async |number: &str, other: &str| {
        office.get(&format!("/api/v1/people/{}/reporting-line?otherPersonId={other}", id(number))).await
    };
    let alone = line("Y1", "").await.ok();
    assert_eq!(alone["superiorPersonIds"], json!([id("E4"), id("E2"), id("E1")]));
    assert_eq!(alone["commonSuperiorPersonId"], "");
    assert_eq!(line("Y1", &id("E5")).await.ok()["commonSuperiorPersonId"], id("E1").as_str());
    line("Y1", "nobody").await.refused(422, "INVALID_FIELDS");
    let below = office.list(&format!("/api/v1/people?belowPersonId={}", id("H1")), "people").await;
    let numbers: Vec<_> = below.iter().map(|person| person["employeeNumber"].as_str().unwrap()).collect();
    assert_eq!(numbers, ["H2", "H3"]);
}
