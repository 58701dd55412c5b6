use serde_json::json;

use super::*;
use crate::scim::schema::{EMPLOYMENT, ENTERPRISE};

fn user() -> Value {
    json!({
        "userName": "ada", "title": "Analyst", "active": true,
        "name": { "givenName": "Ada", "familyName": "Byron" },
        "emails": [{ "value": "ada@example.com", "type": "work", "primary": true }],
        ENTERPRISE: { "employeeNumber": "7", "manager": { "value": "3" } },
    })
}

fn patched(operations: &Value) -> Result<Value, Refusal> {
    let catalogue = Catalogue::load().unwrap();
    let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
    let mut user = user().as_object().unwrap().clone();
    for operation in read(body.to_string().as_bytes())? {
        apply(&catalogue, &mut user, &operation)?;
    }
    Ok(Value::Object(user))
}

fn refused(operations: &Value) -> ScimType {
    patched(operations).expect_err(&operations.to_string()).kind.unwrap()
}

#[test]
fn a_value_is_replaced_added_and_removed() {
    let patched = patched(&json!([
        { "op": "replace", "path": "title", "value": "Countess" },
        { "op": "add", "path": "externalId", "value": "x" },
        { "op": "remove", "path": "name.givenName" },
        { "op": "replace", "path": "name.familyName", "value": "Lovelace" },
        { "op": "remove", "path": format!("{ENTERPRISE}:manager") },
    ]))
    .unwrap();
    assert_eq!((&patched["title"], &patched["externalId"]), (&json!("Countess"), &json!("x")));
    assert_eq!(patched["name"], json!({ "givenName": null, "familyName": "Lovelace" }));
    assert_eq!(patched[ENTERPRISE], json!({ "employeeNumber": "7", "manager": null }));
}

#[test]
fn operations_of_entra_id_are_understood() {
    let patched = patched(&json!([
        { "op": "Replace", "path": "active", "value": "False" },
        { "OP": "ADD", "Path": "emails[type eq \"work\"].value", "Value": "new@example.com" },
        { "op": "Add", "path": "emails[type eq \"home\"].value", "value": "home@example.com" },
        { "op": "Add", "path": "phoneNumbers[type eq \"work\"].value", "value": "1" },
        { "op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": "9" },
        { "op": "Replace", "path": "displayName", "value": "Somebody" },
        { "op": "Replace", "value": {
            "name.givenName": "Augusta",
            format!("{ENTERPRISE}:department"): "Analysis",
            EMPLOYMENT: { "HireDate": "2010-01-04" },
            "addresses[type eq \"work\"].country": "GB",
        } },
    ]))
    .unwrap();
    assert_eq!(patched["active"], false);
    let emails = json!([
        { "value": "new@example.com", "type": "work", "primary": true },
        { "value": "home@example.com", "type": "home" },
    ]);
    assert_eq!(patched["emails"], emails);
    assert_eq!(patched["name"], json!({ "givenName": "Augusta", "familyName": "Byron" }));
    let enterprise = json!({ "employeeNumber": "7", "manager": { "value": "9" }, "department": "Analysis" });
    assert_eq!(patched[ENTERPRISE], enterprise);
    assert_eq!(patched[EMPLOYMENT], json!({ "hireDate": "2010-01-04" }));
    assert_eq!((&patched["displayName"], &patched["phoneNumbers"]), (&Value::Null, &Value::Null));
}

#[test]
fn several_values_are_added_to_and_taken_from() {
    let work = json!({ "value": "b@example.com", "type": "work" });
    let patched_emails = |operation: Value| patched(&json!([operation])).unwrap()["emails"].clone();
    assert_eq!(patched_emails(json!({ "op": "add", "path": "emails", "value": [work] })), json!([work]));
    assert_eq!(patched_emails(json!({ "op": "replace", "path": "emails", "value": work })), json!([work]));
    for removed in [
        json!({ "op": "remove", "path": "emails[primary eq true]" }),
        json!({ "op": "remove", "path": "emails", "value": [{ "value": "ada@example.com" }] }),
    ] {
        assert_eq!(patched_emails(removed), json!([]));
    }
    let kept = json!({ "op": "remove", "path": "emails", "value": [{ "value": "other@example.com" }] });
    assert_eq!(patched_emails(kept), user()["emails"]);
    assert_eq!(patched_emails(json!({ "op": "remove", "path": "emails" })), Value::Null);
    let part = patched_emails(json!({ "op": "replace", "path": "emails.value", "value": "c@example.com" }));
    assert_eq!(part[0]["value"], "c@example.com");
}

#[test]
fn a_whole_extension_is_a_place_too() {
    let path = json!(ENTERPRISE);
    let added = json!([{ "op": "add", "path": path, "value": { "department": "Analysis" } }]);
    let added = patched(&added).unwrap();
    assert_eq!(added[ENTERPRISE]["department"], "Analysis");
    assert_eq!(added[ENTERPRISE]["employeeNumber"], "7");
    let removed = patched(&json!([{ "op": "remove", "path": path }])).unwrap();
    assert!(removed[ENTERPRISE].as_object().unwrap().values().all(Value::is_null));
}

#[test]
fn what_cannot_be_done_is_refused_by_its_kind() {
    let replace = |path: &str, value: Value| json!([{ "op": "replace", "path": path, "value": value }]);
    assert_eq!(refused(&json!([])), ScimType::InvalidSyntax);
    assert_eq!(refused(&json!([{ "op": "move", "path": "title" }])), ScimType::InvalidSyntax);
    assert_eq!(refused(&json!([{ "op": "remove" }])), ScimType::NoTarget);
    assert_eq!(refused(&json!([{ "op": "add", "path": "title" }])), ScimType::InvalidValue);
    assert_eq!(refused(&json!([{ "op": "add", "value": "x" }])), ScimType::InvalidValue);
    assert_eq!(refused(&replace("title[", json!("x"))), ScimType::InvalidPath);
    assert_eq!(refused(&replace("title[value eq \"x\"]", json!("x"))), ScimType::InvalidPath);
    assert_eq!(refused(&replace("emails[colour eq \"x\"].value", json!("x"))), ScimType::InvalidPath);
    assert_eq!(refused(&replace("id", json!("x"))), ScimType::Mutability);
    assert_eq!(refused(&replace("meta.created", json!("x"))), ScimType::Mutability);
    assert_eq!(refused(&json!([{ "op": "remove", "path": "userName" }])), ScimType::Mutability);
    assert_eq!(refused(&replace("active", json!("perhaps"))), ScimType::InvalidValue);
    assert_eq!(refused(&replace("emails[value co \"@other\"].type", json!("work"))), ScimType::NoTarget);
}

#[test]
fn more_values_than_anybody_has_are_refused_however_they_come() {
    let values = |from: u32, to: u32| {
        let value =
            |number: u32| json!({ "value": format!("{number}@example.com"), "type": number.to_string() });
        (from..to).map(value).collect::<Vec<_>>()
    };
    let add = |value: Vec<Value>| json!({ "op": "add", "path": "emails", "value": value });
    assert!(patched(&json!([add(values(0, 99))])).is_ok(), "with the one that was there");
    assert_eq!(refused(&json!([add(values(0, 101))])), ScimType::InvalidValue);
    assert_eq!(refused(&json!([add(values(0, 60)), add(values(60, 120))])), ScimType::InvalidValue);
    let described = |number: u32| json!({ "op": "add", "path": format!("emails[type eq \"{number}\"].value"), "value": "a@example.com" });
    assert_eq!(refused(&(0..100).map(described).collect::<Value>()), ScimType::InvalidValue);
}
