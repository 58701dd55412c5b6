//! Which users a filter means: evaluated here, or handed to the service where it can look them up.
//!
//! # Source
//! RFC 7644, section 3.4.2.2 (filtering), of which the crate `scim_v2` parses the grammar.

use prost_types::Timestamp;
use scim_v2::{
    filter::{AttrExp, AttrPath, CompValue, CompareOp, Filter, ValFilter},
    models::errors::ScimType,
};
use serde_json::Value;

use super::{
    refusal::Refusal,
    schema::{Attribute, Catalogue, Document, Kind, Place, Returned, Target},
};

/// What the service looks up by itself; empty means any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Narrowed {
    pub(super) id: String,
    pub(super) user_name: String,
    pub(super) external_id: String,
    pub(super) employee_number: String,
    pub(super) email: String,
}

/// A filter, divided between the service and the gateway.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) narrowed: Narrowed,
    /// What is still to be evaluated here.
    pub(super) rest: Option<Filter>,
}

/// Reads a filter.
///
/// # Errors
/// 400 `invalidFilter` if it is none, names what no user has, or compares what cannot be compared.
pub(super) fn parse(catalogue: &Catalogue, text: &str) -> Result<Filter, Refusal> {
    let filter: Filter =
        text.parse().map_err(|error| invalid(format!("The filter cannot be read: {error}")))?;
    check(catalogue, &filter)?;
    Ok(filter)
}

fn invalid(detail: impl Into<String>) -> Refusal {
    Refusal::bad(ScimType::InvalidFilter, detail)
}

/// Divides a filter: whatever must hold in any case and can be looked up is the service's. An id is looked up alone.
pub(super) fn plan(catalogue: &Catalogue, filter: Filter) -> Plan {
    let mut terms = match filter {
        Filter::And(terms) => terms.into_vec(),
        one => vec![one],
    };
    let mut narrowed = Narrowed::default();
    let taken = |narrowed: &mut Narrowed, term: &Filter| take(catalogue, narrowed, term);
    let by_id = terms.iter().position(|term| {
        let mut alone = Narrowed::default();
        taken(&mut alone, term) && !alone.id.is_empty()
    });
    match by_id {
        Some(at) => {
            taken(&mut narrowed, &terms.remove(at));
        }
        None => terms.retain(|term| !taken(&mut narrowed, term)),
    }
    Plan { narrowed, rest: Filter::all(terms) }
}

/// Takes a term over if the service looks it up.
fn take(catalogue: &Catalogue, narrowed: &mut Narrowed, term: &Filter) -> bool {
    let Filter::Attr(AttrExp::Comparison(path, CompareOp::Eq, CompValue::Str(value))) = term else {
        return false;
    };
    let Some(Target::Attribute(place)) = catalogue.find(path) else { return false };
    let field = match (place.attribute.name.as_str(), place.part.map(|part| part.name.as_str())) {
        ("id", None) => &mut narrowed.id,
        ("userName", None) => &mut narrowed.user_name,
        ("externalId", None) => &mut narrowed.external_id,
        ("employeeNumber", None) => &mut narrowed.employee_number,
        ("emails", None | Some("value")) => &mut narrowed.email,
        _ => return false,
    };
    // To the service an empty text means any, and no two can be looked up at once.
    let free = field.is_empty() && !value.is_empty();
    if free {
        field.clone_from(value);
    }
    free
}

fn check(catalogue: &Catalogue, filter: &Filter) -> Result<(), Refusal> {
    match filter {
        Filter::Attr(AttrExp::Present(path)) => compared(catalogue, path).map(|_| ()),
        Filter::Attr(AttrExp::Comparison(path, op, value)) => {
            let (_, leaf) = compared(catalogue, path)?;
            comparable(leaf, op, value, path)
        }
        Filter::ValuePath(values) => match catalogue.find(&values.attr) {
            Some(Target::Attribute(place)) if place.attribute.many && place.part.is_none() => {
                check_values(place.attribute, &values.filter)
            }
            _ => Err(invalid(format!("{} is no attribute of several values.", values.attr))),
        },
        Filter::Not(inner) => check(catalogue, inner),
        Filter::And(terms) | Filter::Or(terms) => terms.iter().try_for_each(|term| check(catalogue, term)),
    }
}

/// Checks a filter of the values of an attribute.
///
/// # Errors
/// 400 `invalidFilter` as [`parse`].
pub(super) fn check_values(attribute: &Attribute, filter: &ValFilter) -> Result<(), Refusal> {
    let part = |path: &AttrPath| {
        let part = attribute.part(&path.name).filter(|_| path.sub_attr.is_none());
        part.ok_or_else(|| invalid(format!("{} has no part {path}.", attribute.name)))
    };
    match filter {
        ValFilter::Attr(AttrExp::Present(path)) => part(path).map(|_| ()),
        ValFilter::Attr(AttrExp::Comparison(path, op, value)) => comparable(part(path)?, op, value, path),
        ValFilter::Not(inner) => check_values(attribute, inner),
        ValFilter::And(terms) | ValFilter::Or(terms) => {
            terms.iter().try_for_each(|term| check_values(attribute, term))
        }
    }
}

/// What a path compares: an object stands for its `value`.
fn compared<'a>(catalogue: &'a Catalogue, path: &AttrPath) -> Result<(Place<'a>, &'a Attribute), Refusal> {
    let Some(Target::Attribute(place)) = catalogue.find(path) else {
        return Err(invalid(format!("{path} is no attribute of a user here.")));
    };
    if place.attribute.returned == Returned::Never {
        return Err(invalid(format!("{path} is never told, so no filter may ask for it.")));
    }
    let leaf = place.part.unwrap_or(place.attribute);
    match leaf.kind {
        Kind::Complex => {
            let value =
                leaf.part("value").ok_or_else(|| invalid(format!("{path} has several parts; name one.")))?;
            Ok((Place { part: Some(value), ..place }, value))
        }
        _ => Ok((place, leaf)),
    }
}

fn comparable(leaf: &Attribute, op: &CompareOp, value: &CompValue, path: &AttrPath) -> Result<(), Refusal> {
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    let textual = matches!(op, CompareOp::Co | CompareOp::Sw | CompareOp::Ew);
    let fits = match (leaf.kind, value) {
        (_, CompValue::Null) | (Kind::Boolean, CompValue::True | CompValue::False) => equality,
        // Entra ID writes booleans as texts.
        (Kind::Boolean, CompValue::Str(text)) => equality && truth(text).is_some(),
        (Kind::DateTime, CompValue::Str(text)) => !textual && text.parse::<Timestamp>().is_ok(),
        (Kind::String | Kind::Reference, CompValue::Str(_)) => true,
        _ => false,
    };
    if fits { Ok(()) } else { Err(invalid(format!("{path} cannot be compared by {op} with {value}."))) }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Whether a user, as it is answered, is one the filter means.
pub(super) fn matches(catalogue: &Catalogue, filter: &Filter, user: &Document) -> bool {
    match filter {
        Filter::Attr(AttrExp::Present(path)) => !values(catalogue, path, user).is_empty(),
        Filter::Attr(AttrExp::Comparison(path, op, value)) => {
            let Ok((_, leaf)) = compared(catalogue, path) else { return false };
            holds(leaf, &values(catalogue, path, user), op, value)
        }
        Filter::ValuePath(path) => {
            let Some(Target::Attribute(place)) = catalogue.find(&path.attr) else { return false };
            let found = held(place, user).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            found.iter().any(|element| value_matches(place.attribute, &path.filter, element))
        }
        Filter::Not(inner) => !matches(catalogue, inner, user),
        Filter::And(terms) => terms.iter().all(|term| matches(catalogue, term, user)),
        Filter::Or(terms) => terms.iter().any(|term| matches(catalogue, term, user)),
    }
}

/// Whether one of the values of an attribute is one the filter means.
pub(super) fn value_matches(attribute: &Attribute, filter: &ValFilter, value: &Value) -> bool {
    let part = |path: &AttrPath| {
        let part = attribute.part(&path.name)?;
        Some((part, value.get(&part.name).filter(|value| !value.is_null())))
    };
    match filter {
        ValFilter::Attr(AttrExp::Present(path)) => part(path).is_some_and(|(_, value)| value.is_some()),
        ValFilter::Attr(AttrExp::Comparison(path, op, expected)) => {
            part(path).is_some_and(|(leaf, value)| holds(leaf, &Vec::from_iter(value), op, expected))
        }
        ValFilter::Not(inner) => !value_matches(attribute, inner, value),
        ValFilter::And(terms) => terms.iter().all(|term| value_matches(attribute, term, value)),
        ValFilter::Or(terms) => terms.iter().any(|term| value_matches(attribute, term, value)),
    }
}

/// The value of an attribute in a document.
fn held<'a>(place: Place<'_>, user: &'a Document) -> Option<&'a Value> {
    let holder = match place.extension {
        Some(extension) => user.get(extension)?.as_object()?,
        None => user,
    };
    holder.get(&place.attribute.name)
}

/// The values that a path leads to.
fn values<'a>(catalogue: &Catalogue, path: &AttrPath, user: &'a Document) -> Vec<&'a Value> {
    let Ok((place, _)) = compared(catalogue, path) else { return Vec::new() };
    let elements = match held(place, user) {
        Some(Value::Array(elements)) => elements.iter().collect(),
        one => Vec::from_iter(one),
    };
    let leaf = |element: &'a Value| match place.part {
        Some(part) => element.get(&part.name),
        None => Some(element),
    };
    elements.into_iter().filter_map(leaf).filter(|value| !value.is_null()).collect()
}

fn holds(leaf: &Attribute, values: &[&Value], op: &CompareOp, expected: &CompValue) -> bool {
    match (op, expected) {
        (CompareOp::Eq, CompValue::Null) => values.is_empty(),
        (CompareOp::Ne, CompValue::Null) => !values.is_empty(),
        (CompareOp::Ne, _) => !holds(leaf, values, &CompareOp::Eq, expected),
        _ => values.iter().any(|value| compare(leaf, value, op, expected)),
    }
}

fn compare(leaf: &Attribute, value: &Value, op: &CompareOp, expected: &CompValue) -> bool {
    match (leaf.kind, value, expected) {
        (Kind::Boolean, Value::Bool(value), CompValue::True) => *value,
        (Kind::Boolean, Value::Bool(value), CompValue::False) => !*value,
        (Kind::Boolean, Value::Bool(value), CompValue::Str(text)) => truth(text) == Some(*value),
        (Kind::DateTime, Value::String(value), CompValue::Str(text)) => {
            match (value.parse::<Timestamp>(), text.parse::<Timestamp>()) {
                (Ok(value), Ok(expected)) => {
                    let key = |instant: &Timestamp| (instant.seconds, instant.nanos);
                    ordered(op, &key(&value), &key(&expected))
                }
                _ => false,
            }
        }
        (_, Value::String(value), CompValue::Str(text)) if leaf.case_exact => text_holds(op, value, text),
        (_, Value::String(value), CompValue::Str(text)) => {
            text_holds(op, &value.to_lowercase(), &text.to_lowercase())
        }
        _ => false,
    }
}

fn text_holds(op: &CompareOp, value: &str, expected: &str) -> bool {
    match op {
        CompareOp::Co => value.contains(expected),
        CompareOp::Sw => value.starts_with(expected),
        CompareOp::Ew => value.ends_with(expected),
        _ => ordered(op, &value, &expected),
    }
}

fn ordered<T: Ord>(op: &CompareOp, value: &T, expected: &T) -> bool {
    match op {
        CompareOp::Eq => value == expected,
        CompareOp::Gt => value > expected,
        CompareOp::Ge => value >= expected,
        CompareOp::Lt => value < expected,
        CompareOp::Le => value <= expected,
        CompareOp::Ne | CompareOp::Co | CompareOp::Sw | CompareOp::Ew => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::ENTERPRISE;

    fn user() -> Document {
        let user = json!({
            "id": "7", "userName": "Ada", "active": true,
            "emails": [{ "value": "Ada@example.com", "type": "work", "primary": true }],
            "meta": { "lastModified": "2013-08-12T07:00:00Z" },
            ENTERPRISE: { "department": "Analysis", "manager": { "value": "3" } },
        });
        user.as_object().unwrap().clone()
    }

    fn means(filter: &str) -> bool {
        let catalogue = Catalogue::load().unwrap();
        let filter = parse(&catalogue, filter).unwrap_or_else(|error| panic!("{filter}: {error:?}"));
        matches(&catalogue, &filter, &user())
    }

    #[test]
    fn a_filter_means_whom_it_should() {
        for filter in [
            "userName eq \"ADA\"",
            "USERNAME sw \"a\" and active eq true",
            "active eq \"True\"",
            "emails co \"@EXAMPLE.\"",
            "emails[type eq \"work\" and value ew \".com\"]",
            "emails.primary eq true",
            "manager eq \"3\"",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"Analysis\"",
            "meta.lastModified ge \"2013-08-12T09:00:00+02:00\"",
            "title eq null and not (title pr)",
            "title ne \"Analyst\"",
            "(title pr or userName gt \"A\") and id eq \"7\"",
        ] {
            assert!(means(filter), "{filter}");
        }
    }

    #[test]
    fn a_filter_means_nobody_else() {
        for filter in [
            "userName eq \"Ad\"",
            "department eq \"analysis\"",
            "emails[type eq \"home\"]",
            "meta.lastModified lt \"2013-08-12T07:00:00Z\"",
            "not (active eq true)",
            "userName ne \"ada\"",
            "title sw \"\"",
        ] {
            assert!(!means(filter), "{filter}");
        }
    }

    #[test]
    fn what_cannot_be_answered_is_refused_and_not_answered_with_nobody() {
        let catalogue = Catalogue::load().unwrap();
        for filter in [
            "userName",
            "userName eq",
            "userName eq Ada",
            "nickName eq \"A\"",
            "active gt true",
            "active eq \"perhaps\"",
            "userName gt 7",
            "meta.lastModified co \"2013\"",
            "meta.created gt \"yesterday\"",
            "name eq \"Ada\"",
            "name[givenName eq \"Ada\"]",
            "emails[colour eq \"red\"]",
            "birthDate pr",
        ] {
            let refused = parse(&catalogue, filter).expect_err(filter);
            assert_eq!(refused.kind, Some(ScimType::InvalidFilter), "{filter}");
        }
    }

    #[test]
    fn the_service_looks_up_what_it_can() {
        let catalogue = Catalogue::load().unwrap();
        let planned = |filter: &str| plan(&catalogue, parse(&catalogue, filter).unwrap());
        let whole = planned("userName eq \"ada\" and emails.value eq \"a@example.com\"");
        assert!(whole.rest.is_none());
        assert_eq!(
            (whole.narrowed.user_name.as_str(), whole.narrowed.email.as_str()),
            ("ada", "a@example.com")
        );
        let part = planned("externalId eq \"x\" and active eq true");
        assert_eq!(part.narrowed.external_id, "x");
        assert_eq!(part.rest.unwrap().to_string(), "active eq true");
        for not in
            ["userName eq \"a\" or userName eq \"b\"", "not (id eq \"7\")", "userName sw \"a\"", "id eq \"\""]
        {
            let planned = planned(not);
            assert_eq!(planned.narrowed, Narrowed::default(), "{not}");
            assert_eq!(planned.rest.unwrap().to_string(), not);
        }
        let by_id = planned("userName eq \"a\" and id eq \"7\"");
        assert_eq!(by_id.narrowed, Narrowed { id: "7".to_owned(), ..Narrowed::default() });
        assert_eq!(by_id.rest.unwrap().to_string(), "userName eq \"a\"");
        let twice = planned("userName eq \"a\" and userName eq \"b\"");
        assert_eq!((twice.narrowed.user_name.as_str(), twice.rest.is_some()), ("a", true));
    }
}
