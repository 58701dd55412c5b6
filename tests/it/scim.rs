//! HR systems and identity providers that speak SCIM: the client that checks servers, what Entra ID and Okta are known to send,
//! and the whole roster.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::Command;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::company::ADVENTUREWORKS;
use crate::world::World;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const CONFIDENTIAL: &str = "urn:updraft:scim:schemas:extension:confidential:1.0:User";
const EMPLOYMENT: &str = "urn:updraft:scim:schemas:extension:employment:1.0:User";

/// Adds a source; the secret of its first credential.
pub async fn secret(world: &World, source: &str, grace_days: u8) -> String {
    let office = world.office(None);
    office.post("/api/v1/sources", json!({ "sourceId": source, "graceDays": grace_days })).await.ok();
    credential(&office, source).await["secret"].as_str().unwrap().to_owned()
}

async fn credential(office: &Client, source: &str) -> Value {
    let path = format!("/api/v1/sources/{source}/credentials");
    office.post(&path, json!({ "kind": "KIND_SECRET" })).await.ok()
}

/// A client with this secret.
pub fn client(world: &World, secret: &str) -> Client {
    Client::new(world.rest(), Some(secret.to_owned()))
}

/// What was done, in order, and what had to come of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Recording {
    source: String,
    grace_days: u8,
    steps: Vec<Step>,
}

/// A request of the client, a look at the person in the programme, or the time that passes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    #[serde(default)]
    what: String,
    clock: Option<String>,
    /// A personnel number.
    person: Option<String>,
    state: Option<String>,
    #[serde(default)]
    method: String,
    #[serde(default)]
    path: String,
    body: Option<Value>,
    status: Option<u16>,
    /// What stands where in the answer; null where nothing does.
    #[serde(default)]
    expect: BTreeMap<String, Value>,
    /// What is kept of the answer, to stand for `{name}` later.
    #[serde(default)]
    keep: BTreeMap<String, String>,
}

async fn play(recording: &str) {
    let recording: Recording = serde_json::from_str(recording).unwrap();
    let world = World::new().await;
    let secret = secret(&world, &recording.source, recording.grace_days).await;
    let scim = client(&world, &secret);
    let mut kept: HashMap<String, String> = HashMap::new();
    for (at, step) in recording.steps.iter().enumerate() {
        let named = |text: &str| {
            kept.iter()
                .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
        };
        let what = format!("{} {} {} {}", at + 1, step.what, step.method, named(&step.path));
        let answer = if let Some(now) = &step.clock {
            world.set_clock(now).await;
            continue;
        } else if let Some(number) = &step.person {
            let person = person(&world, number).await;
            assert_eq!(person["state"].as_str(), step.state.as_deref(), "{what} {person:#}");
            person
        } else {
            let body =
                step.body.as_ref().map(|body| serde_json::from_str(&named(&body.to_string())).unwrap());
            let method = Method::from_bytes(step.method.as_bytes()).unwrap();
            let answer = scim.send(method, &format!("/scim/v2{}", named(&step.path)), body, &[]).await;
            assert_eq!(Some(answer.status.as_u16()), step.status, "{what} {:#}", answer.body);
            answer.body
        };
        for (pointer, expected) in &step.expect {
            let expected: Value = serde_json::from_str(&named(&expected.to_string())).unwrap();
            let found = answer.pointer(pointer).unwrap_or(&Value::Null);
            assert_eq!(*found, expected, "{what} {pointer} {answer:#}");
        }
        for (name, pointer) in &step.keep {
            let value = answer.pointer(pointer).and_then(Value::as_str);
            kept.insert(name.clone(), value.unwrap_or_else(|| panic!("{what} {answer:#}")).to_owned());
        }
    }
}

/// The person of a personnel number, as the programme office sees them.
async fn person(world: &World, number: &str) -> Value {
    let people = world.office(None).list("/api/v1/people", "people").await;
    people.into_iter().find(|person| person["employeeNumber"] == number).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn entra_id_makes_deactivates_and_deletes_a_person_who_comes_back() {
    play(include_str!("scim/entra.json")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn okta_makes_replaces_imports_and_deactivates() {
    play(include_str!("scim/okta.json")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_checks_servers_finds_nothing_wrong() {
    let world = World::new().await;
    let secret = secret(&world, "checked", 7).await;
    let url = format!("http://{}/scim/v2", world.rest());
    let checked = tokio::task::spawn_blocking(move || {
        Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/tool"))
            .args(["scim", "test"])
            .env("SCIM_CLI_URL", url)
            .env("SCIM_CLI_HEADERS", format!("Authorization: Bearer {secret}"))
            .output()
            .unwrap()
    });
    let checked = checked.await.unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    let complaint = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}{complaint}");
    // Each check and attribute has a line of its own: none was skipped, and none is missing.
    let passed = said.lines().filter(|line| line.starts_with("SUCCESS ")).count();
    let others =
        said.lines().filter(|line| line.starts_with("SKIPPED ") || line.starts_with("ERROR ")).count();
    assert!(passed >= 60 && others == 0, "{passed} and {others}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roster_comes_in_one_by_one_and_goes_out_page_by_page() {
    let world = World::new().await;
    let scim = client(&world, &secret(&world, "roster-by-scim", 0).await);
    let ids = send_roster(&scim).await;
    let all = ids.values().map(|id| id.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(by_index(&scim, "count=50").await, all);
    assert_eq!(by_cursor(&scim, "count=150").await, all);
    let production = |line: &HashMap<String, String>| line["department"] == "Production";
    let expected = lines().into_iter().filter(production).count();
    let filter = "filter=department%20eq%20%22Production%22&count=33";
    let found = by_index(&scim, filter).await;
    assert_eq!((found.len(), by_cursor(&scim, filter).await), (expected, found));
}

/// Makes a user of each line of the roster; answers with their ids by personnel number.
pub async fn send_roster(scim: &Client) -> HashMap<String, Value> {
    let mut waiting = lines();
    let mut ids = HashMap::new();
    // From the top down: a user is named by an id that the server gives.
    while !waiting.is_empty() {
        let ready = |line: &HashMap<String, String>| {
            let superior = &line["manager_employee_number"];
            superior.is_empty() || ids.contains_key(superior)
        };
        let (now, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(ready);
        assert!(!now.is_empty());
        for line in now {
            let superior = ids.get(&line["manager_employee_number"]).cloned();
            let user = scim.post("/scim/v2/Users", user(&line, superior.as_ref())).await.ok();
            ids.insert(line["employee_number"].clone(), user["id"].clone());
        }
        waiting = later;
    }
    ids
}

fn lines() -> Vec<HashMap<String, String>> {
    csv::Reader::from_reader(ADVENTUREWORKS).deserialize().collect::<Result<_, _>>().unwrap()
}

fn user(line: &HashMap<String, String>, superior: Option<&Value>) -> Value {
    json!({
        "userName": line["email"], "externalId": line["employee_number"], "title": line["job_title"], "active": true,
        "name": { "givenName": line["given_name"], "familyName": line["family_name"] },
        "emails": [{ "value": line["email"], "type": "work", "primary": true }],
        ENTERPRISE: {
            "employeeNumber": line["employee_number"], "department": line["department"],
            "manager": superior.map(|id| json!({ "value": id })),
        },
        EMPLOYMENT: { "hireDate": line["hire_date"] },
        CONFIDENTIAL: { "birthDate": line["birth_date"] },
    })
}

/// The ids of a list by index; none comes twice.
async fn by_index(scim: &Client, query: &str) -> BTreeSet<String> {
    let (mut found, mut start) = (BTreeSet::new(), 1);
    loop {
        let page = scim.get(&format!("/scim/v2/Users?{query}&startIndex={start}")).await.ok();
        start += take(&mut found, &page);
        if start > page["totalResults"].as_u64().unwrap() {
            return found;
        }
    }
}

/// The ids of a list by cursor; none comes twice.
async fn by_cursor(scim: &Client, query: &str) -> BTreeSet<String> {
    let (mut found, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = scim.get(&format!("/scim/v2/Users?{query}&cursor={cursor}")).await.ok();
        take(&mut found, &page);
        let Some(next) = page["nextCursor"].as_str() else { return found };
        next.clone_into(&mut cursor);
    }
}

fn take(found: &mut BTreeSet<String>, page: &Value) -> u64 {
    let users = page["Resources"].as_array().unwrap();
    for user in users {
        assert!(found.insert(user["id"].as_str().unwrap().to_owned()), "{} comes twice", user["id"]);
    }
    users.len() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_exchanged_without_a_gap_and_ends_at_once() {
    let world = World::new().await;
    let office = world.office(None);
    let first = secret(&world, "payroll", 0).await;
    let second = credential(&office, "payroll").await;
    let second_secret = second["secret"].as_str().unwrap();
    let asked = async |secret: &str| client(&world, secret).get("/scim/v2/Users").await.status.as_u16();
    assert_eq!((asked(&first).await, asked(second_secret).await), (200, 200));
    let path = format!(
        "/api/v1/sources/payroll/credentials/{}/revoke",
        second["credential"]["credentialId"].as_str().unwrap()
    );
    office.post(&path, json!({})).await.ok();
    assert_eq!((asked(&first).await, asked(second_secret).await), (200, 401));
    assert_eq!(asked("guessed").await, 401);
    assert_eq!(asked(&world.token(&identity::Caller::system(identity::Role::Office))).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leave_outlasts_replacements_and_a_deactivation_that_is_taken_back() {
    let world = World::new().await;
    let scim = client(&world, &secret(&world, "okta", 0).await);
    let mut user = json!({ "userName": "mira", "name": { "givenName": "Mira" }, "active": true });
    user[CONFIDENTIAL] = json!({ "leaveFirstDay": "2013-08-05", "leaveLastDay": "2013-12-31" });
    let path =
        format!("/scim/v2/Users/{}", scim.post("/scim/v2/Users", user).await.ok()["id"].as_str().unwrap());
    let replace = async |active: bool| {
        let user = json!({ "userName": "mira", "name": { "givenName": "Mira" }, "title": "Clerk", "active": active });
        scim.send(Method::PUT, &path, Some(user), &[]).await.ok();
    };
    let pool = world.database.pool("reader");
    let events = async || -> Vec<String> {
        sqlx::query_scalar("select name from eventlog.events where name like '%.Person%' order by position")
            .fetch_all(&pool)
            .await
            .unwrap()
    };
    let before = events().await;
    assert_eq!(before.len(), 2, "{before:?}");
    replace(true).await;
    assert_eq!(events().await, before);

    replace(false).await;
    world.set_clock("2013-08-13T07:00:00Z").await;
    replace(true).await;
    let standing: (String, String, String) =
        sqlx::query_as("select employment, leave_first_day::text, leave_last_day::text from workers")
            .fetch_one(&world.database.pool("enrollment"))
            .await
            .unwrap();
    assert_eq!(standing, ("on_leave".to_owned(), "2013-08-05".to_owned(), "2013-12-31".to_owned()));
    assert_eq!(events().await.last(), before.last(), "the leave is told anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_or_patched_as_it_is_keeps_its_version() {
    let world = World::new().await;
    let scim = client(&world, &secret(&world, "okta", 0).await);
    let user =
        json!({ "userName": "mira", "name": { "givenName": "Mira" }, "title": "Clerk", "active": true });
    let made = scim.post("/scim/v2/Users", user.clone()).await.ok();
    let path = format!("/scim/v2/Users/{}", made["id"].as_str().unwrap());
    let patched =
        |title: &str| json!({ "Operations": [{ "op": "replace", "path": "title", "value": title }] });
    for (method, body) in [(Method::PUT, user), (Method::PATCH, patched("Clerk"))] {
        let again = scim.send(method, &path, Some(body), &[]).await.ok();
        assert_eq!(again["meta"], made["meta"]);
    }
    let changed = scim.send(Method::PATCH, &path, Some(patched("Lead")), &[]).await.ok();
    assert_ne!(changed["meta"]["version"], made["meta"]["version"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nul_is_a_mistake_of_the_client_wherever_it_is_sent() {
    let world = World::new().await;
    let scim = client(&world, &secret(&world, "payroll", 0).await);
    // The last one is a cursor as the server writes them, behind a user whose id is a NUL.
    let cursor = "/Users?cursor=0.SWx4MU1EQXdNQ0k";
    for path in ["/Users/%00", "/Users?filter=userName%20eq%20%22%5Cu0000%22", cursor] {
        let refused = scim.get(&format!("/scim/v2{path}")).await;
        assert_eq!(refused.status, 400, "{path} {:#}", refused.body);
    }
    let gone = scim.send(Method::DELETE, "/scim/v2/Users/%00", None, &[]).await;
    assert_eq!(gone.status, 400, "{:#}", gone.body);
    let made = scim.post("/scim/v2/Users", json!({ "userName": "a\u{0}" })).await;
    assert_eq!(made.status, 400, "{:#}", made.body);
    let people =
        "/api/v1/people?pageToken=WyJcdTAwMDAiLCIwMTkzYTFiMi0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDEiXQ";
    world.office(None).get(people).await.refused(422, "INVALID_FIELDS");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_source_sees_the_workers_of_another() {
    let world = World::new().await;
    let ours = client(&world, &secret(&world, "ours", 0).await);
    let theirs = client(&world, &secret(&world, "theirs", 0).await);
    let user = json!({ "userName": "ada", "name": { "givenName": "Ada" } });
    let id = ours.post("/scim/v2/Users", user.clone()).await.ok()["id"].as_str().unwrap().to_owned();
    let path = format!("/scim/v2/Users/{id}");
    let status = |answer: Answer| answer.status.as_u16();
    assert_eq!(status(theirs.get(&path).await), 404);
    assert_eq!(status(theirs.send(Method::DELETE, &path, None, &[]).await), 404);
    assert_eq!(theirs.get("/scim/v2/Users").await.ok()["totalResults"], 0);
    theirs.post("/scim/v2/Users", user).await.ok();
    assert_eq!(status(ours.get(&path).await), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_the_same_user_at_once_lose_nothing() {
    let world = World::new().await;
    let scim = client(&world, &secret(&world, "payroll", 0).await);
    let created = scim.post("/scim/v2/Users", json!({ "userName": "ada" })).await;
    let version = created.headers["etag"].to_str().unwrap().to_owned();
    let path = format!("/scim/v2/Users/{}", created.ok()["id"].as_str().unwrap());
    let change = |attribute: &str, headers: &'static [(&'static str, &'static str)]| {
        let operation = json!({ "op": "replace", "path": attribute, "value": attribute });
        let (scim, path) = (scim.clone(), path.clone());
        async move {
            scim.send(Method::PATCH, &path, Some(json!({ "Operations": [operation] })), headers).await.ok()
        }
    };
    tokio::join!(change("title", &[]), change("externalId", &[]), change("department", &[("if-match", "*")]));
    let user = scim.get(&path).await.ok();
    assert_eq!((&user["title"], &user["externalId"]), (&json!("title"), &json!("externalId")));
    assert_eq!(user[ENTERPRISE]["department"], "department");
    let late = json!({ "Operations": [{ "op": "remove", "path": "title" }] });
    let refused = scim.send(Method::PATCH, &path, Some(late), &[("if-match", &version)]).await;
    assert_eq!(refused.status, 412, "{:#}", refused.body);
}
