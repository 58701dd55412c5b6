//! PATCH: operations on a user as a document. What is removed becomes null, so that it can be told from what was never said.
//!
//! # Source
//! RFC 7644, section 3.5.2. Entra ID and Okta write it in ways of their own, which are understood: operations in any case of
//! letters, no path, paths as names of members, and a value for a place that a filter describes and nobody has yet.

use scim_v2::{
    filter::{AttrExp, AttrPath, CompValue, CompareOp, PatchPath, PatchValuePath, ValFilter},
    models::errors::ScimType,
    schema_urns::PATCH_OP,
};
use serde_json::{Map, Value};

use super::{
    document::{canonical, check_number, expect_schema, member, members, object},
    filter::{check_values, value_matches},
    refusal::Refusal,
    schema::{Attribute, Catalogue, Document, Mutability, Place, Target},
};

/// As many operations are more than any attribute needs.
const OPERATIONS_MAX: usize = 1000;

/// One operation.
#[derive(Debug)]
pub(super) struct Operation {
    verb: Verb,
    path: Option<PatchPath>,
    value: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

/// Reads the operations of a request.
///
/// # Errors
/// 400 if there are none, or one cannot be read.
pub(super) fn read(body: &[u8]) -> Result<Vec<Operation>, Refusal> {
    let body = object(body)?;
    expect_schema(&body, PATCH_OP)?;
    let operations =
        member(&body, "Operations").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match operations.len() {
        0 => Err(Refusal::bad(ScimType::InvalidSyntax, "Operations names no operation.")),
        1..=OPERATIONS_MAX => operations.iter().map(operation).collect(),
        _ => Err(Refusal::bad(ScimType::TooMany, format!("Send at most {OPERATIONS_MAX} operations."))),
    }
}

fn operation(value: &Value) -> Result<Operation, Refusal> {
    let syntax = |detail: &str| Refusal::bad(ScimType::InvalidSyntax, detail);
    let operation = value.as_object().ok_or_else(|| syntax("An operation is no object."))?;
    let verb = member(operation, "op").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let verb = match verb.as_str() {
        "add" => Verb::Add,
        "replace" => Verb::Replace,
        "remove" => Verb::Remove,
        _ => return Err(syntax("The op of an operation must be add, replace or remove.")),
    };
    let path = match member(operation, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) if path.is_empty() => None,
        Some(Value::String(path)) => Some(parse(path)?),
        Some(_) => {
            return Err(Refusal::bad(ScimType::InvalidPath, "The path of an operation must be a text."));
        }
    };
    let value = member(operation, "value").cloned();
    match (verb, &path, &value) {
        (Verb::Remove, None, _) => Err(Refusal::bad(ScimType::NoTarget, "A remove needs a path.")),
        (Verb::Add | Verb::Replace, _, None) => Err(Refusal::value("value", "is missing from an operation")),
        (Verb::Add | Verb::Replace, None, Some(value)) if !value.is_object() => {
            Err(Refusal::value("value", "must be an object where there is no path"))
        }
        _ => Ok(Operation { verb, path, value }),
    }
}

fn parse(path: &str) -> Result<PatchPath, Refusal> {
    path.parse().map_err(|error| {
        Refusal::bad(ScimType::InvalidPath, format!("The path {path} cannot be read: {error}"))
    })
}

/// Does an operation.
///
/// # Errors
/// 400 if it cannot be done: `noTarget`, `mutability`, `invalidPath` or `invalidValue`.
pub(super) fn apply(
    catalogue: &Catalogue,
    user: &mut Document,
    operation: &Operation,
) -> Result<(), Refusal> {
    let Operation { verb, path, value } = operation;
    let (verb, value) = (*verb, value.clone());
    let Some(path) = path else {
        let Some(Value::Object(members)) = value else { return Ok(()) };
        return members.into_iter().try_for_each(|(name, value)| {
            // A name that is no path is nothing we know; what is the server's comes along with the rest of what a client knows.
            match name.parse() {
                Ok(path) if !matches!(name.to_ascii_lowercase().as_str(), "id" | "meta") => {
                    at(catalogue, user, verb, &path, Some(value))
                }
                _ => Ok(()),
            }
        });
    };
    at(catalogue, user, verb, path, value)
}

fn at(
    catalogue: &Catalogue,
    user: &mut Document,
    verb: Verb,
    path: &PatchPath,
    value: Option<Value>,
) -> Result<(), Refusal> {
    let attr = match path {
        PatchPath::Attr(path) => path,
        PatchPath::Value(path) => &path.attr,
    };
    let place = match catalogue.find(attr) {
        None => return Ok(()),
        Some(Target::Extension(extension)) => return whole(catalogue, user, verb, extension, value),
        Some(Target::Attribute(place)) => place,
    };
    if matches!(place.attribute.name.as_str(), "id" | "meta") {
        let detail = format!("{} is set by the server alone.", place.attribute.name);
        return Err(Refusal::bad(ScimType::Mutability, detail));
    }
    if place.attribute.mutability == Mutability::ReadOnly {
        return Ok(());
    }
    if verb == Verb::Remove && place.attribute.required {
        let detail = format!("{} cannot be removed.", place.attribute.name);
        return Err(Refusal::bad(ScimType::Mutability, detail));
    }
    let change = |holder: &mut Document| match path {
        PatchPath::Attr(_) => attribute_at(holder, verb, place, value),
        PatchPath::Value(path) => values_at(holder, verb, place, path, value),
    };
    match place.extension {
        None => change(user),
        Some(extension) => within(user, extension, change),
    }
}

/// Changes the object that a member of a document is; it becomes one.
fn within<T>(document: &mut Document, name: &str, change: impl FnOnce(&mut Document) -> T) -> T {
    let mut object = match document.remove(name) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    let changed = change(&mut object);
    document.insert(name.to_owned(), Value::Object(object));
    changed
}

/// An operation on a whole extension.
fn whole(
    catalogue: &Catalogue,
    user: &mut Document,
    verb: Verb,
    extension: &'static str,
    value: Option<Value>,
) -> Result<(), Refusal> {
    let attributes = catalogue.attributes(Some(extension));
    let given = members(attributes, value.unwrap_or(Value::Null), extension)?;
    within(user, extension, |part| {
        if verb == Verb::Remove {
            part.extend(attributes.iter().map(|attribute| (attribute.name.clone(), Value::Null)));
            return Ok(());
        }
        given.into_iter().try_for_each(|(name, value)| match super::schema::named(attributes, &name) {
            Some(attribute) => put(part, verb, attribute, value),
            None => Ok(()),
        })
    })
}

fn attribute_at(
    holder: &mut Document,
    verb: Verb,
    place: Place<'_>,
    value: Option<Value>,
) -> Result<(), Refusal> {
    let Place { attribute, part, .. } = place;
    let Some(part) = part else {
        match (verb, value) {
            (Verb::Remove, Some(value)) if attribute.many => remove_equal(holder, attribute, value)?,
            (Verb::Remove, _) => {
                holder.insert(attribute.name.clone(), Value::Null);
            }
            (_, value) => put(holder, verb, attribute, canonical(attribute, value.unwrap_or(Value::Null))?)?,
        }
        return Ok(());
    };
    let value = match verb {
        Verb::Remove => Value::Null,
        Verb::Add | Verb::Replace => canonical(part, value.unwrap_or(Value::Null))?,
    };
    if attribute.many {
        let mut elements = elements(holder, attribute);
        if elements.is_empty() && !value.is_null() {
            elements.push(Value::Object(Map::new()));
        }
        for element in elements.iter_mut().filter_map(Value::as_object_mut) {
            element.insert(part.name.clone(), value.clone());
        }
        keep(holder, attribute, elements)?;
    } else {
        within(holder, &attribute.name, |object| object.insert(part.name.clone(), value));
    }
    Ok(())
}

/// Sets a value that is in canonical form already.
fn put(holder: &mut Document, verb: Verb, attribute: &Attribute, value: Value) -> Result<(), Refusal> {
    match value {
        // To add nothing changes nothing.
        Value::Null if verb == Verb::Add => {}
        Value::Array(added) if verb == Verb::Add => {
            // There is one value of each type, so a new one of the type takes its place.
            let kind = |value: &Value| value.get("type").and_then(Value::as_str).map(str::to_ascii_lowercase);
            let mut elements = elements(holder, attribute);
            elements.retain(|old| added.iter().all(|new| kind(new) != kind(old)));
            elements.extend(added);
            keep(holder, attribute, elements)?;
        }
        // What is said of an object replaces what was said before, and leaves the rest.
        Value::Object(parts) if !attribute.many => {
            within(holder, &attribute.name, |object| object.extend(parts));
        }
        value => {
            holder.insert(attribute.name.clone(), value);
        }
    }
    Ok(())
}

/// Removes the values that are named, as Entra ID does it.
fn remove_equal(holder: &mut Document, attribute: &Attribute, value: Value) -> Result<(), Refusal> {
    let named = canonical(attribute, value)?;
    let named = named.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut elements = elements(holder, attribute);
    let same =
        |one: &Value, other: &Value| one.get("value").is_some() && one.get("value") == other.get("value");
    elements.retain(|element| named.is_empty() || !named.iter().any(|name| same(name, element)));
    if named.is_empty() {
        elements.clear();
    }
    keep(holder, attribute, elements)
}

fn elements(holder: &Document, attribute: &Attribute) -> Vec<Value> {
    holder.get(&attribute.name).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn keep(holder: &mut Document, attribute: &Attribute, elements: Vec<Value>) -> Result<(), Refusal> {
    check_number(attribute, elements.len())?;
    holder.insert(attribute.name.clone(), Value::Array(elements));
    Ok(())
}

/// An operation on those values of an attribute that a filter means.
fn values_at(
    holder: &mut Document,
    verb: Verb,
    place: Place<'_>,
    path: &PatchValuePath,
    value: Option<Value>,
) -> Result<(), Refusal> {
    let attribute = place.attribute;
    let path_of = |what: &str| Refusal::bad(ScimType::InvalidPath, format!("{} {what}.", attribute.name));
    if !attribute.many || place.part.is_some() {
        return Err(path_of("has no several values of which a filter could choose"));
    }
    check_values(attribute, &path.filter)
        .map_err(|_| path_of("has no values that this filter can choose"))?;
    let part = match &path.sub_attr {
        None => None,
        // A part that we do not know is passed over as an attribute that we do not know.
        Some(name) => match attribute.part(name) {
            None => return Ok(()),
            Some(part) => Some(part),
        },
    };
    let mut elements = elements(holder, attribute);
    if verb == Verb::Remove {
        let chosen = |element: &Value| value_matches(attribute, &path.filter, element);
        match part {
            None => elements.retain(|element| !chosen(element)),
            Some(part) => {
                for element in elements.iter_mut().filter(|element| chosen(element)) {
                    element[part.name.as_str()] = Value::Null;
                }
            }
        }
        return keep(holder, attribute, elements);
    }
    let given = value.unwrap_or(Value::Null);
    let given = match part {
        Some(part) => Map::from_iter([(part.name.clone(), canonical(part, given)?)]),
        None => members(&attribute.parts, given, &attribute.name)?,
    };
    if !elements.iter().any(|element| value_matches(attribute, &path.filter, element)) {
        let described = described(attribute, &path.filter).ok_or_else(|| {
            Refusal::bad(
                ScimType::NoTarget,
                format!("No value of {} is one that the filter means.", attribute.name),
            )
        })?;
        elements.push(Value::Object(described));
    }
    for element in elements.iter_mut().filter(|element| value_matches(attribute, &path.filter, element)) {
        if let Some(element) = element.as_object_mut() {
            element.extend(given.clone());
        }
    }
    keep(holder, attribute, elements)
}

/// The value that a filter describes by equality; `None` if it says anything else.
fn described(attribute: &Attribute, filter: &ValFilter) -> Option<Map<String, Value>> {
    let equal = |path: &AttrPath, value: &CompValue| {
        let value = match value {
            CompValue::True => Value::Bool(true),
            CompValue::False => Value::Bool(false),
            CompValue::Str(text) => Value::String(text.clone()),
            CompValue::Null | CompValue::Number(_) => return None,
        };
        let part = attribute.part(&path.name)?;
        Some((part.name.clone(), canonical(part, value).ok()?))
    };
    match filter {
        ValFilter::Attr(AttrExp::Comparison(path, CompareOp::Eq, value)) => {
            equal(path, value).map(|pair| Map::from_iter([pair]))
        }
        ValFilter::And(terms) => {
            let parts = terms.iter().map(|term| described(attribute, term)).collect::<Option<Vec<_>>>()?;
            Some(parts.into_iter().flatten().collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
