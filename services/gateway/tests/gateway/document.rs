use std::path::Path;

use serde_json::Value;

use crate::harness::World;

fn document() -> Value {
    serde_json::to_value(gateway::openapi().unwrap()).unwrap()
}

/// Every operation with its path and verb.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(verb, operation)| (format!("{verb} {path}"), operation))
    });
    operations.collect()
}

/// What a reference leads to.
fn follow<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.strip_prefix('#').unwrap()).unwrap_or(&Value::Null),
        None => value,
    }
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(entries) => entries.iter().for_each(|entry| references(entry, found)),
        _ => {}
    }
}

#[test]
fn the_checked_in_document_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let current = gateway::openapi().unwrap().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(checked_in == current, "openapi.json has drifted; refresh it with UPDATE_EXPECT=1");
}

#[test]
fn every_operation_and_every_response_is_described() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let described = |value: &Value| value["description"].as_str().is_some_and(|text| !text.is_empty());
    let operations = operations(&document);
    assert!(operations.len() > 50);
    for (name, operation) in operations {
        assert!(described(operation), "{name}");
        assert!(operation["summary"].is_string() && operation["operationId"].is_string(), "{name}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(described(parameter), "{name}: {}", parameter["name"]);
        }
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{name}");
        for status in ["400", "401", "403", "422", "500", "503", "504"] {
            assert!(responses.contains_key(status), "{name}: {status}");
        }
        for (status, response) in responses {
            let response = follow(&document, response);
            assert!(described(response), "{name}: {status}");
            let content = response["content"].as_object().into_iter().flatten().collect::<Vec<_>>();
            let (media_types, schemas): (Vec<_>, Vec<_>) = content.into_iter().unzip();
            let schemas = schemas.iter().map(|content| follow(&document, &content["schema"]));
            assert!(schemas.clone().all(Value::is_object), "{name}: {status} has no schema");
            assert_eq!(schemas.len(), usize::from(status != "304"), "{name}: {status}");
            let is_problem = media_types == ["application/problem+json"];
            assert!(is_problem != status.starts_with('2') || status == "304", "{name}: {status}");
        }
        let header = operation["parameters"].as_array().unwrap().iter().find(|p| p["name"] == "If-Match");
        assert_eq!(responses.contains_key("412"), header.is_some(), "{name}");
        let needed = header.is_some_and(|header| header["required"] == true);
        assert_eq!(responses.contains_key("428"), needed, "{name}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100);
    for reference in found {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
    }
}

#[test]
fn the_rules_of_the_fields_are_in_the_document() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let application = &schemas["SubmitApplicationRequest"];
    assert_eq!(application["properties"]["motivation"]["maxLength"], 4000);
    assert_eq!(application["properties"]["capacity"]["maximum"], 2);
    assert!(application["properties"].get("editionId").is_none(), "it stands in the path");
    let required = application["required"].as_array().unwrap();
    assert_eq!(required.len(), 4, "{required:?}");
    assert_eq!(schemas["TopicLevel"]["properties"]["topicId"]["pattern"], "^[a-z][a-z0-9-]{1,39}$");
    let reason = &schemas["DeclineApplicationRequest"]["properties"]["reason"]["enum"];
    assert!(!reason.as_array().unwrap().contains(&"DECISION_REASON_UNSPECIFIED".into()));
    assert_eq!(schemas["Receipt"]["properties"]["position"]["type"], "string");
    assert_eq!(schemas["Receipt"]["required"], serde_json::json!(["id", "etag", "position"]));
}

#[tokio::test]
async fn the_document_and_its_reader_are_served() {
    let world = World::start().await;
    let get = |path: &str| world.anonymous(reqwest::Method::GET, path).send();
    let served: Value = get("/openapi.json").await.unwrap().json().await.unwrap();
    assert_eq!(served, document());
    let page = get("/docs").await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
    let page = page.text().await.unwrap();
    let sources = page.split(['"']).filter(|part| part.starts_with("/docs/")).collect::<Vec<_>>();
    assert!(sources.len() >= 3, "{page}");
    for source in sources {
        assert_eq!(get(source).await.unwrap().status(), 200, "{source}");
    }
    let initializer = get("/docs/swagger-initializer.js").await.unwrap().text().await.unwrap();
    assert!(initializer.contains("/openapi.json"));
}

#[tokio::test]
async fn every_code_has_a_page() {
    let world = World::start().await;
    let get = |path: &str| world.anonymous(reqwest::Method::GET, path).send();
    let page = get("/problems/etag-mismatch").await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("ETAG_MISMATCH"));
    let other = get("/problems/not-eligible-age").await.unwrap();
    assert!(other.text().await.unwrap().contains("NOT_ELIGIBLE_AGE"));
    assert_eq!(get("/problems/%3Cscript%3E").await.unwrap().status(), 404);
}
