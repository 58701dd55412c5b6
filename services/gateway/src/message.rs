//! Parameters and JSON into messages, strictly: what is unknown, given twice or of a wrong type is named.
//!
//! # Source
//! <https://protobuf.dev/programming-guides/json/> (`ProtoJSON`).

use std::borrow::Cow;

use axum::http::StatusCode;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage};
use serde_json::{Value, error::Category};
use serde_path_to_error::{Path, Segment, Track};

use crate::{
    problem::{FieldError, Problem},
    routes::Place,
};

const UNKNOWN_FIELD: &str = "UNKNOWN_FIELD";
const WRONG_TYPE: &str = "WRONG_TYPE";

/// Puts path or query parameters into the fields they name, by the names of JSON or of the proto file.
///
/// # Errors
/// Every parameter that is unknown, given twice or of a wrong type.
pub(crate) fn put_parameters<'a>(
    message: &mut DynamicMessage,
    fields: &[FieldDescriptor],
    place: Place,
    parameters: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
) -> Result<(), Vec<FieldError>> {
    let fault = |name: &str, code: &'static str, detail: &str| FieldError {
        place,
        pointer: format!("/{name}"),
        code: code.into(),
        detail: detail.to_owned(),
    };
    let mut errors = Vec::new();
    let mut values = vec![Vec::new(); fields.len()];
    for (name, value) in parameters {
        match fields.iter().position(|field| field.json_name() == name || field.name() == name) {
            Some(at) => values[at].push(text_value(&fields[at], &value)),
            None => errors.push(fault(&name, UNKNOWN_FIELD, "is no parameter of this method")),
        }
    }
    for (field, mut values) in fields.iter().zip(values) {
        let value = match values.len() {
            0 => continue,
            _ if field.is_list() => Value::Array(values),
            1 => values.remove(0),
            _ => {
                errors.push(fault(field.json_name(), "GIVEN_TWICE", "can be given once only"));
                continue;
            }
        };
        let object = Value::Object([(field.json_name().to_owned(), value)].into_iter().collect());
        match DynamicMessage::deserialize(message.descriptor(), object) {
            Ok(parsed) => message.set_field(field, parsed.get_field(field).into_owned()),
            Err(error) => errors.push(fault(field.json_name(), WRONG_TYPE, &error.to_string())),
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// A parameter as JSON would write it: all but a boolean may be a string there.
fn text_value(field: &FieldDescriptor, text: &str) -> Value {
    match (field.kind(), text) {
        (Kind::Bool, "true") => Value::Bool(true),
        (Kind::Bool, "false") => Value::Bool(false),
        _ => Value::String(text.to_owned()),
    }
}

/// Reads a body as a message; `elsewhere` are the fields that do not belong into the body.
///
/// # Errors
/// 400 if it is no JSON, 422 with pointers if it is not this message's.
pub(crate) fn read_json(
    body: &[u8],
    descriptor: &MessageDescriptor,
    elsewhere: &[&FieldDescriptor],
) -> Result<DynamicMessage, Problem> {
    if body.is_empty() {
        return Ok(DynamicMessage::new(descriptor.clone()));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let mut track = Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let parsed = DynamicMessage::deserialize(descriptor.clone(), tracked);
    let message = match parsed.and_then(|message| json.end().map(|()| message)) {
        Ok(message) => message,
        Err(error) if error.classify() == Category::Data => {
            // What follows the wrong field was not looked at yet, and may be no JSON at all.
            let value = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
            return Err(Problem::fields(wrong_fields(&value, descriptor, &track.path(), &error)));
        }
        Err(error) => return Err(malformed(&error)),
    };
    let misplaced = elsewhere.iter().filter(|field| message.has_field(field));
    let misplaced = misplaced.map(|field| unknown(format!("/{}", field.json_name()))).collect::<Vec<_>>();
    if misplaced.is_empty() { Ok(message) } else { Err(Problem::fields(misplaced)) }
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "MALFORMED_JSON", format!("The body is no JSON: {error}."))
}

/// All unknown fields, else the one whose value has a wrong type.
fn wrong_fields(
    value: &Value,
    descriptor: &MessageDescriptor,
    path: &Path,
    error: &serde_json::Error,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    find_unknown(value, descriptor, "", &mut errors);
    if errors.is_empty() {
        let pointer = path.iter().fold(String::new(), |pointer, segment| match segment {
            Segment::Seq { index } => format!("{pointer}/{index}"),
            Segment::Map { key } => format!("{pointer}/{}", escaped(key)),
            Segment::Enum { .. } | Segment::Unknown => pointer,
        });
        let detail = error.to_string();
        errors.push(FieldError { place: Place::Body, pointer, code: WRONG_TYPE.into(), detail });
    }
    errors
}

fn find_unknown(value: &Value, descriptor: &MessageDescriptor, at: &str, errors: &mut Vec<FieldError>) {
    // The well-known types have a JSON form of their own.
    if descriptor.package_name() == "google.protobuf" {
        return;
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        let pointer = format!("{at}/{}", escaped(name));
        let field = descriptor.get_field_by_json_name(name).or_else(|| descriptor.get_field_by_name(name));
        let Some(field) = field else {
            errors.push(unknown(pointer));
            continue;
        };
        let Kind::Message(inner) = field.kind() else { continue };
        match value {
            Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    find_unknown(value, &inner, &format!("{pointer}/{index}"), errors);
                }
            }
            value if !field.is_map() => find_unknown(value, &inner, &pointer, errors),
            _ => {}
        }
    }
}

fn unknown(pointer: String) -> FieldError {
    let detail = "is no field of this body".to_owned();
    FieldError { place: Place::Body, pointer, code: UNKNOWN_FIELD.into(), detail }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(name: &str) -> MessageDescriptor {
        proto::pool().get_message_by_name(name).unwrap()
    }

    fn people(query: &[(&'static str, &'static str)]) -> Result<DynamicMessage, Vec<(String, String)>> {
        let request = descriptor("updraft.enrollment.v1.ListPeopleRequest");
        let mut message = DynamicMessage::new(request.clone());
        let pairs = query.iter().map(|(name, value)| (Cow::from(*name), Cow::from(*value)));
        let fields = request.fields().collect::<Vec<_>>();
        put_parameters(&mut message, &fields, Place::Query, pairs).map(|()| message).map_err(|errors| {
            errors.into_iter().map(|error| (error.pointer, error.code.into_owned())).collect()
        })
    }

    #[test]
    fn a_parameter_goes_by_either_name() {
        assert_eq!(people(&[("pageSize", "7")]), people(&[("page_size", "7")]));
        assert!(
            people(&[("maxLevel", "2")]).unwrap().get_field_by_name("max_level").unwrap().as_i32() == Some(2)
        );
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let wrong = [("pageSize", "many"), ("pageToken", "a"), ("pageToken", "b"), ("colour", "red")];
        let codes = people(&wrong).unwrap_err();
        let expected =
            [("/colour", "UNKNOWN_FIELD"), ("/pageSize", "WRONG_TYPE"), ("/pageToken", "GIVEN_TWICE")];
        assert_eq!(codes, expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
    }
}
