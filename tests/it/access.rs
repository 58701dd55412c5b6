//! Every endpoint × every role: who has no right is refused by the running system, and no endpoint is without a rule.
//!
//! The rights themselves stand in `crates/identity/tests/matrix.txt`, made from the policies. Here each endpoint is called by
//! each role that has no right there, as somebody who is no party to the record, and must answer 403.

use std::collections::{BTreeMap, BTreeSet};

use identity::{Caller, Guard, PersonId, Role};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use proto::hris::SyncMode;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::company::{Company, roster};
use crate::hris::payroll::Payroll;

const MATRIX: &str = include_str!("../../crates/identity/tests/matrix.txt");

/// An endpoint, as its proto file defines it.
struct Endpoint {
    name: String,
    method: Method,
    path: String,
    body: String,
    input: MessageDescriptor,
}

fn rpcs() -> Vec<MethodDescriptor> {
    let services = proto::pool().services().filter(|service| service.package_name().starts_with("updraft."));
    services.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

fn endpoints() -> Vec<Endpoint> {
    let http = proto::pool().get_extension_by_name("google.api.http").unwrap();
    let text =
        |rule: &DynamicMessage, field| rule.get_field_by_name(field).unwrap().as_str().unwrap().to_owned();
    rpcs()
        .into_iter()
        .filter(|rpc| rpc.options().has_extension(&http))
        .map(|rpc| {
            let options = rpc.options();
            let rule = options.get_extension(&http);
            let rule = rule.as_message().unwrap();
            let verb = ["get", "post", "put"].into_iter().find(|verb| rule.has_field_by_name(verb)).unwrap();
            Endpoint {
                name: rpc.name().to_owned(),
                method: verb.to_uppercase().parse().unwrap(),
                path: text(rule, verb),
                body: text(rule, "body"),
                input: rpc.input(),
            }
        })
        .collect()
}

/// What a role may do, by action: the words of the table.
fn rights() -> BTreeMap<(String, Role), String> {
    let mut lines = MATRIX.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let columns = |line: &str| {
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let roles: Vec<Role> = columns(lines.next().unwrap())[1..]
        .iter()
        .map(|name| Role::ALL.into_iter().find(|role| role.name() == name).unwrap())
        .collect();
    let mut rights = BTreeMap::new();
    for line in lines {
        let cells = columns(line);
        for (role, cell) in roles.iter().zip(&cells[1..]) {
            rights.insert((cells[0].clone(), *role), cell.clone());
        }
    }
    rights
}

#[test]
fn every_rpc_has_a_rule_and_every_rule_an_rpc() {
    let guard = Guard::new().unwrap();
    let ruled: BTreeSet<String> = guard.actions().into_iter().map(str::to_owned).collect();
    let named: BTreeSet<String> = rpcs().into_iter().map(|rpc| rpc.name().to_owned()).collect();
    assert_eq!(named.len(), rpcs().len(), "the names of RPCs are the names of actions, so each is unique");
    let differing: Vec<_> = named.symmetric_difference(&ruled).collect();
    assert!(
        differing.is_empty(),
        "{differing:?} stand only in proto/ or only in crates/identity/policies/updraft.cedarschema"
    );
    for rpc in rpcs() {
        let request = rpc.input().name().to_owned();
        assert_eq!(
            request,
            format!("{}Request", rpc.name()),
            "the request names the action that is asked for"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_right_is_refused_at_every_endpoint() {
    let company = completed().await;
    let ids = ids(&company).await;
    let rights = rights();
    let mut checked = 0;
    for endpoint in endpoints() {
        for role in Role::ALL {
            let right = &rights[&(endpoint.name.clone(), role)];
            if !is_denied(&endpoint, right) {
                continue;
            }
            let caller = Caller { person: Some(company.id("Y3")), ..Caller::system(role) };
            let answer = call(&company, &endpoint, &ids, Some(&caller)).await;
            assert_eq!(
                answer.status, 403,
                "{role} at {} {}: {:#}",
                endpoint.method, endpoint.path, answer.body
            );
            checked += 1;
        }
        let answer = call(&company, &endpoint, &ids, None).await;
        assert_eq!(answer.status, 401, "a stranger at {} {}", endpoint.method, endpoint.path);
    }
    assert!(checked > 250, "{checked} denials were seen");
}

/// Whether somebody of the role who is no party to the record has no right there.
fn is_denied(endpoint: &Endpoint, right: &str) -> bool {
    let own_only = right.split('+').all(|word| ["own", "party", "delegated"].contains(&word));
    // The caller speaks for no source.
    let of_a_source = right == "source";
    let last = endpoint.path.rsplit('/').find(|segment| segment.starts_with('{')).unwrap_or_default();
    let of_one_record = !matches!(last, "" | "{edition_id}");
    right == "-" || of_a_source || own_only && of_one_record
}

async fn call(
    company: &Company,
    endpoint: &Endpoint,
    ids: &BTreeMap<&str, String>,
    caller: Option<&Caller>,
) -> crate::client::Answer {
    let client = caller.map_or_else(|| company.world.stranger(), |caller| company.world.client(caller));
    let mut path = endpoint.path.clone();
    for (name, id) in ids {
        path = path.replace(&format!("{{{name}}}"), id);
    }
    assert!(!path.contains('{'), "{path} names an id that the test does not know");
    if endpoint.name == "CreateImport" {
        return client.upload(&path, roster()).await;
    }
    let body = match endpoint.body.as_str() {
        "" => None,
        "*" => Some(sample(&endpoint.input, &endpoint.path)),
        field => {
            Some(sample(endpoint.input.get_field_by_name(field).unwrap().kind().as_message().unwrap(), ""))
        }
    };
    let headers = [("if-match", "\"1\"")];
    client.send(endpoint.method.clone(), &path, body, &headers).await
}

/// A message that keeps the rules of its fields; those in the path and the etag are left out.
fn sample(message: &MessageDescriptor, path: &str) -> Value {
    let mut fields = Map::new();
    for field in message.fields() {
        if path.contains(&format!("{{{}}}", field.name())) || field.name() == "etag" {
            continue;
        }
        let value = sample_field(&field);
        fields.insert(field.json_name().to_owned(), if field.is_list() { json!([value]) } else { value });
    }
    Value::Object(fields)
}

fn sample_field(field: &FieldDescriptor) -> Value {
    match field.kind() {
        Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
            json!("2014-01-15T10:00:00Z")
        }
        Kind::Message(message) => sample(&message, ""),
        Kind::Enum(values) => json!(values.values().nth(1).unwrap().name()),
        Kind::Bool => json!(true),
        Kind::Int32 => json!(match field.name() {
            "session_minutes" | "end_minute" => 60,
            "anonymity_k" => 5,
            "maximum_age" => 28,
            _ => 1,
        }),
        Kind::String => json!(match field.name() {
            "topic_id" => "hashtags",
            "source_id" => "payroll",
            "time_zone" => "Europe/Berlin",
            "region" => "DE-HE",
            "language" | "languages" => "en",
            "certificate_sha256" => "",
            name if name.ends_with("_id") || name.ends_with("_ids") => "0193a1b2-0000-7000-8000-000000000001",
            name if name.ends_with("_date") || name.ends_with("_day") => "2014-01-15",
            _ => "A text long enough for every rule.",
        }),
        other => panic!("{} is of a kind no request has: {other:?}", field.full_name()),
    }
}

/// A company whose edition is over, so that there is a record of every kind.
async fn completed() -> Company {
    let company = Company::running().await;
    let tandem = company.tandems("STATE_ACTIVE").await.remove(0);
    let mentee = company.person(&tandem.mentee);
    mentee.post(&format!("{}/questions", tandem.path), json!({ "text": "Why?" })).await.ok();
    mentee
        .post(&format!("{}/actions", tandem.path), json!({ "text": "Do.", "dueDate": "2013-11-01" }))
        .await
        .ok();
    company.world.set_clock("2014-04-01T08:00:00Z").await;
    company.office().post(&format!("{}/complete", company.path()), json!({})).await.ok();
    company.world.settle().await;
    company
}

/// One record of each kind, by the name it has in paths.
async fn ids(company: &Company) -> BTreeMap<&'static str, String> {
    let office = company.office();
    let first = async |path: &str, field: &str, id: &str| {
        office.list(path, field).await[0][id].as_str().unwrap().to_owned()
    };
    let tandem = company.tandems("STATE_COMPLETED").await.remove(0);
    let mentee = company.person(&tandem.mentee);
    let own = async |path: String, field: &str, id: &str| {
        mentee.list(&path, field).await[0][id].as_str().unwrap().to_owned()
    };
    let edition = company.path();
    let operation = office.import(roster()).await["operationId"].as_str().unwrap().to_owned();
    let person: PersonId = company.id("E2");
    let payroll = Payroll::new(&company.world, "payroll").await;
    BTreeMap::from([
        ("edition_id", company.edition.clone()),
        ("operation_id", operation),
        ("sync_run_id", payroll.open(SyncMode::Delta).await),
        ("source_id", "roster".to_owned()),
        ("external_id", "Y3".to_owned()),
        ("credential_id", "0193a1b2-0000-7000-8000-000000000001".to_owned()),
        ("person_id", person.to_string()),
        ("application_id", first(&format!("{edition}/applications"), "applications", "applicationId").await),
        ("obligation_id", company.obligation("E2").await),
        ("match_run_id", first(&format!("{edition}/match-runs"), "matchRuns", "matchRunId").await),
        ("tandem_id", tandem.path.rsplit('/').next().unwrap().to_owned()),
        ("session_id", own(format!("{}/sessions", tandem.path), "sessions", "sessionId").await),
        ("question_id", own(format!("{}/questions", tandem.path), "questions", "questionId").await),
        ("action_id", own(format!("{}/actions", tandem.path), "actions", "actionId").await),
        ("follow_up_id", own(format!("{edition}/follow-ups"), "followUps", "followUpId").await),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn partners_know_who_the_other_is_and_nobody_else_does() {
    let company = Company::running().await;
    let tandem = company.tandems("STATE_ACTIVE").await.remove(0);
    let path = format!("/api/v1/people/{}", company.id(&tandem.mentee));
    let seen = company.person(&tandem.mentor).get(&path).await.ok();
    assert_eq!(seen["familyName"], format!("Family{}", tandem.mentee));
    assert_eq!(seen["email"], format!("{}@example.com", tandem.mentee.to_lowercase()));
    assert_eq!(
        (&seen["employeeNumber"], &seen["hireDate"], &seen["managerPersonId"]),
        (&json!(""), &json!(""), &json!(""))
    );
    company.person("Y7").get(&path).await.refused(403, "PERMISSION_DENIED");
}
