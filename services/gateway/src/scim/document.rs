//! What a client sends, in canonical form: names as the schema spells them, values of its types, and nothing that it does not know.
//!
//! Clients differ from the standard in known ways, which are understood: `"False"` for a boolean, a number for a text, one value
//! for several, a list of one or a bare text for an object (Entra ID), names in another case.

use scim_v2::models::errors::ScimType;
use serde_json::{Map, Value};

use super::{
    refusal::Refusal,
    schema::{Attribute, Catalogue, Document, Kind, Mutability, USER},
};

/// As many values of one attribute nobody has.
const VALUES_MAX: usize = 100;

/// Reads a user.
///
/// # Errors
/// 400 for another schema, a value of a wrong type, or an attribute that is given twice.
pub(super) fn read(catalogue: &Catalogue, body: &[u8]) -> Result<Document, Refusal> {
    let body = object(body)?;
    expect_schema(&body, USER)?;
    let mut document = Document::new();
    for (name, value) in body {
        if let Some(extension) = catalogue.extension(&name) {
            let part = members(catalogue.attributes(Some(extension)), value, extension)?;
            claim(&mut document, extension, Value::Object(part))?;
        } else if let Some(attribute) = super::schema::named(catalogue.attributes(None), &name)
            && let Some(value) = canonical_unless_ours(attribute, value)?
        {
            claim(&mut document, &attribute.name, value)?;
        }
    }
    Ok(document)
}

/// Reads a JSON object.
///
/// # Errors
/// 400 if the body is none.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Refusal::bad(ScimType::InvalidSyntax, "The body is no JSON object.")),
        Err(error) => Err(Refusal::bad(ScimType::InvalidSyntax, format!("The body is no JSON: {error}."))),
    }
}

/// Refuses a message that says to be another one. One that says nothing is taken for what it was sent as.
pub(super) fn expect_schema(body: &Map<String, Value>, schema: &str) -> Result<(), Refusal> {
    let Some(given) = member(body, "schemas").and_then(Value::as_array) else { return Ok(()) };
    let mut names = given.iter().filter_map(Value::as_str);
    if names.any(|name| name.eq_ignore_ascii_case(schema)) {
        return Ok(());
    }
    Err(Refusal::bad(ScimType::InvalidSyntax, format!("The attribute schemas does not name {schema}.")))
}

/// A member of an object, by its name in any case of letters.
pub(super) fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The members of an object that are attributes, each in canonical form.
///
/// # Errors
/// 400 for a value of a wrong type or an attribute that is given twice.
pub(super) fn members(attributes: &[Attribute], value: Value, of: &str) -> Result<Document, Refusal> {
    let object = match value {
        Value::Object(object) => object,
        Value::Null => return Ok(Document::new()),
        _ => return Err(Refusal::value(of, "must be an object")),
    };
    let mut found = Document::new();
    for (name, value) in object {
        if let Some(attribute) = super::schema::named(attributes, &name)
            && let Some(value) = canonical_unless_ours(attribute, value)?
        {
            claim(&mut found, &attribute.name, value)?;
        }
    }
    Ok(found)
}

fn claim(document: &mut Document, name: &str, value: Value) -> Result<(), Refusal> {
    match document.insert(name.to_owned(), value) {
        None => Ok(()),
        Some(_) => {
            Err(Refusal::bad(ScimType::InvalidSyntax, format!("The attribute {name} is given twice.")))
        }
    }
}

/// What only the server says cannot be wrong: it is passed over. Of several values the client's `primary` still tells which one
/// it would have.
fn canonical_unless_ours(attribute: &Attribute, value: Value) -> Result<Option<Value>, Refusal> {
    match attribute.mutability {
        Mutability::ReadOnly => Ok(canonical(attribute, value).ok()),
        Mutability::ReadWrite | Mutability::WriteOnly => canonical(attribute, value).map(Some),
    }
}

/// A value in canonical form; null for an attribute that has none (RFC 7643, section 2.5), as which an empty text counts too.
///
/// # Errors
/// 400 for a value of a wrong type.
pub(super) fn canonical(attribute: &Attribute, value: Value) -> Result<Value, Refusal> {
    if !attribute.many {
        return one(attribute, value);
    }
    let values = match value {
        Value::Null => return Ok(Value::Null),
        Value::Array(values) => values,
        single => vec![single],
    };
    check_number(attribute, values.len())?;
    let values = values.into_iter().map(|value| one(attribute, value)).collect::<Result<Vec<_>, _>>()?;
    let values = values.into_iter().filter(|value| !value.is_null()).collect::<Vec<_>>();
    Ok(if values.is_empty() { Value::Null } else { Value::Array(values) })
}

/// Refuses more values than anybody has, as they are compared with each other.
///
/// # Errors
/// 400 for more than [`VALUES_MAX`].
pub(super) fn check_number(attribute: &Attribute, values: usize) -> Result<(), Refusal> {
    let what = || format!("has {values} values, of which at most {VALUES_MAX} are taken");
    if values <= VALUES_MAX { Ok(()) } else { Err(Refusal::value(&attribute.name, &what())) }
}

fn one(attribute: &Attribute, value: Value) -> Result<Value, Refusal> {
    let value = match value {
        Value::Null => return Ok(Value::Null),
        Value::Array(mut values) if !attribute.many && values.len() <= 1 => match values.pop() {
            Some(value) => value,
            None => return Ok(Value::Null),
        },
        value => value,
    };
    match (attribute.kind, value) {
        (Kind::Complex, Value::Object(object)) => {
            let parts = members(&attribute.parts, Value::Object(object), &attribute.name)?;
            Ok(if parts.values().all(Value::is_null) { Value::Null } else { Value::Object(parts) })
        }
        (Kind::Complex, Value::String(text)) if attribute.part("value").is_some() => {
            Ok(if text.is_empty() { Value::Null } else { serde_json::json!({ "value": text }) })
        }
        (Kind::Complex, _) => Err(Refusal::value(&attribute.name, "must be an object")),
        (Kind::Boolean, Value::Bool(value)) => Ok(Value::Bool(value)),
        (Kind::Boolean, Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(Refusal::value(&attribute.name, "must be true or false")),
        },
        (Kind::Boolean, _) => Err(Refusal::value(&attribute.name, "must be true or false")),
        (_, Value::String(text)) => Ok(if text.is_empty() { Value::Null } else { Value::String(text) }),
        (_, Value::Number(number)) => Ok(Value::String(number.to_string())),
        (_, _) => Err(Refusal::value(&attribute.name, "must be a text")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::ENTERPRISE;

    fn read_json(body: &Value) -> Result<Value, Refusal> {
        read(&Catalogue::load().unwrap(), body.to_string().as_bytes()).map(Value::Object)
    }

    #[test]
    fn what_the_schema_does_not_know_is_passed_over_and_the_rest_is_spelt_as_it_does() {
        let read = read_json(&json!({
            "schemas": [USER],
            "USERNAME": "ada", "nickName": "A", "Name": { "FamilyName": "Byron", "formatted": "Ada Byron" },
            ENTERPRISE.to_lowercase(): { "EmployeeNumber": 7, "costCenter": "12" },
        }));
        let expected = json!({
            "schemas": [USER],
            "userName": "ada", "name": { "familyName": "Byron" }, ENTERPRISE: { "employeeNumber": "7" },
        });
        assert_eq!(read.unwrap(), expected);
    }

    #[test]
    fn known_deviations_of_clients_are_understood() {
        let read = read_json(&json!({
            "active": "False",
            "emails": { "value": "a@example.com", "type": "work" },
            "title": "",
            ENTERPRISE: { "manager": [{ "value": "7", "$ref": "../Users/7" }] },
        }));
        let expected = json!({
            "active": false,
            "emails": [{ "value": "a@example.com", "type": "work" }],
            "title": null,
            ENTERPRISE: { "manager": { "value": "7", "$ref": "../Users/7" } },
        });
        assert_eq!(read.unwrap(), expected);
        let text = read_json(&json!({ ENTERPRISE: { "manager": "7" } })).unwrap();
        assert_eq!(text[ENTERPRISE]["manager"], json!({ "value": "7" }));
    }

    #[test]
    fn what_cannot_be_understood_is_refused_by_name() {
        let kind = |body: Value| read_json(&body).unwrap_err().kind.unwrap();
        assert_eq!(kind(json!({ "active": "perhaps" })), ScimType::InvalidValue);
        assert_eq!(kind(json!({ "userName": ["a", "b"] })), ScimType::InvalidValue);
        assert_eq!(kind(json!({ "name": "Ada" })), ScimType::InvalidValue);
        assert_eq!(kind(json!({ "userName": "a", "USERNAME": "b" })), ScimType::InvalidSyntax);
        assert_eq!(kind(json!({ "schemas": ["urn:example:Group"] })), ScimType::InvalidSyntax);
        assert_eq!(kind(json!([])), ScimType::InvalidSyntax);
    }

    #[test]
    fn what_only_the_server_says_is_never_wrong() {
        assert_eq!(
            read_json(&json!({ "id": { "a": 1 }, "meta": 7, "displayName": [1, 2] })).unwrap(),
            json!({})
        );
    }
}
