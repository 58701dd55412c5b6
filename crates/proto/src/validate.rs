//! The rules of fields that stand in the proto files, enforced.
//!
//! Every service calls [`validate`] on every request before anything else. The rules are those of `buf/validate/validate.proto`
//! as far as our files use them; [`unknown_rules`] and its test make sure that none is written there and ignored here. One rule
//! stands in no file: a text holds no NUL.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::LazyLock;

use prost::{Message, Name};
use prost_reflect::{DynamicMessage, FieldDescriptor, MapKey, MessageDescriptor, ReflectMessage, Value};
use regex::Regex;
use uuid::Uuid;

use crate::pool;

/// They travel in the head of an answer, which clients refuse beyond 16 kB.
const VIOLATIONS_MAX: usize = 32;

/// One field that breaks its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path in the request, dotted, with indices: `offers[2].level`.
    pub field: String,
    /// Machine code, `UPPER_SNAKE_CASE`.
    pub code: &'static str,
    /// What is wrong, as the end of a sentence that begins with the field.
    pub message: String,
}

/// Checks a message against the rules of its proto file.
///
/// # Errors
/// The violations in the order of the fields, the first 32 of them.
pub fn validate<M: Message + Name>(message: &M) -> Result<(), Vec<Violation>> {
    let Some(descriptor) = pool().get_message_by_name(&M::full_name()) else { return Ok(()) };
    let Ok(dynamic) = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()) else {
        return Ok(());
    };
    let mut violations = Vec::new();
    check_message(&dynamic, "", &mut violations);
    violations.truncate(VIOLATIONS_MAX);
    if violations.is_empty() { Ok(()) } else { Err(violations) }
}

/// Rules that stand in our proto files and that this module does not know; a test keeps it empty.
#[must_use]
pub fn unknown_rules() -> Vec<String> {
    RULES.values().flat_map(|rules| rules.unknown.iter().cloned()).collect()
}

/// Rules by the full name of their field.
static RULES: LazyLock<HashMap<String, Rules>> = LazyLock::new(|| {
    let ours = |message: &MessageDescriptor| message.package_name().starts_with("updraft.");
    pool()
        .all_messages()
        .filter(ours)
        .flat_map(|message| message.fields().collect::<Vec<_>>())
        .filter_map(|field| Some((field.full_name().to_owned(), Rules::of(&field)?)))
        .collect()
});

/// What may be said of one field.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own in the proto files")]
struct Rules {
    required: bool,
    uuid: bool,
    min_len: Option<u64>,
    max_len: Option<u64>,
    pattern: Option<Regex>,
    gte: Option<i64>,
    lte: Option<i64>,
    defined_only: bool,
    not_in: Vec<i64>,
    min_items: Option<u64>,
    max_items: Option<u64>,
    unique: bool,
    items: Option<Box<Rules>>,
    unknown: Vec<String>,
}

impl Rules {
    fn of(field: &FieldDescriptor) -> Option<Self> {
        let extension = pool().get_extension_by_name("buf.validate.field")?;
        let options = field.options();
        options.has_extension(&extension).then(|| {
            let mut rules = Self::default();
            rules.read(options.get_extension(&extension).as_message(), field.full_name());
            rules
        })
    }

    /// Reads `buf.validate.FieldRules`, whose type-specific rules are messages of their own.
    fn read(&mut self, written: Option<&DynamicMessage>, field: &str) {
        for (rule, value) in written.into_iter().flat_map(DynamicMessage::fields) {
            match (rule.name(), value) {
                ("required" | "uuid" | "defined_only" | "unique", value) => self.switch(rule.name(), value),
                ("min_len", value) => self.min_len = value.as_u64(),
                ("max_len", value) => self.max_len = value.as_u64(),
                ("min_items", value) => self.min_items = value.as_u64(),
                ("max_items", value) => self.max_items = value.as_u64(),
                ("gte", value) => self.gte = whole(value),
                ("lte", value) => self.lte = whole(value),
                ("not_in", Value::List(values)) => self.not_in = values.iter().filter_map(whole).collect(),
                ("pattern", Value::String(pattern)) => match Regex::new(pattern) {
                    Ok(pattern) => self.pattern = Some(pattern),
                    Err(_) => self.unknown.push(format!("{field}: pattern {pattern}")),
                },
                ("items", Value::Message(items)) => {
                    let mut rules = Self::default();
                    rules.read(Some(items), field);
                    self.unknown.append(&mut rules.unknown);
                    self.items = Some(Box::new(rules));
                }
                ("string" | "int32" | "int64" | "enum" | "repeated" | "bytes", Value::Message(inner)) => {
                    self.read(Some(inner), field);
                }
                (other, _) => self.unknown.push(format!("{field}: {other}")),
            }
        }
    }

    fn switch(&mut self, rule: &str, value: &Value) {
        let on = value.as_bool() == Some(true);
        match rule {
            "required" => self.required = on,
            "uuid" => self.uuid = on,
            "defined_only" => self.defined_only = on,
            _ => self.unique = on,
        }
    }

    fn check(
        &self,
        descriptor: &FieldDescriptor,
        value: &Value,
        path: &str,
        violations: &mut Vec<Violation>,
    ) {
        match value {
            Value::String(text) => self.check_text(text, path, violations),
            Value::Bytes(bytes) => self.check_length(bytes.len(), "bytes", path, violations),
            Value::EnumNumber(number) => self.check_enum(descriptor, *number, path, violations),
            Value::List(values) => self.check_list(descriptor, values, path, violations),
            other => {
                if let Some(number) = whole(other) {
                    self.check_number(number, path, violations);
                }
            }
        }
    }

    fn check_text(&self, text: &str, path: &str, violations: &mut Vec<Violation>) {
        self.check_length(text.chars().count(), "characters", path, violations);
        if self.uuid && Uuid::try_parse(text).is_err() {
            report(violations, path, "UUID", "must be a UUID");
        }
        if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            report(violations, path, "PATTERN", format!("must match {pattern}"));
        }
    }

    fn check_length(&self, length: usize, unit: &str, path: &str, violations: &mut Vec<Violation>) {
        let length = length as u64;
        if let Some(least) = self.min_len.filter(|least| length < *least) {
            report(violations, path, "MIN_LEN", format!("must have at least {least} {unit}"));
        }
        if let Some(most) = self.max_len.filter(|most| length > *most) {
            report(violations, path, "MAX_LEN", format!("must have at most {most} {unit}, has {length}"));
        }
    }

    fn check_number(&self, number: i64, path: &str, violations: &mut Vec<Violation>) {
        if let Some(least) = self.gte.filter(|least| number < *least) {
            report(violations, path, "GTE", format!("must be at least {least}, is {number}"));
        }
        if let Some(most) = self.lte.filter(|most| number > *most) {
            report(violations, path, "LTE", format!("must be at most {most}, is {number}"));
        }
    }

    fn check_enum(&self, field: &FieldDescriptor, number: i32, path: &str, violations: &mut Vec<Violation>) {
        let kind = field.kind();
        let defined = kind.as_enum().is_some_and(|values| values.get_value(number).is_some());
        if self.defined_only && !defined {
            report(violations, path, "DEFINED_ONLY", format!("has no value {number}"));
        } else if self.not_in.contains(&i64::from(number)) {
            report(violations, path, "NOT_IN", "must be set");
        }
    }

    fn check_list(
        &self,
        descriptor: &FieldDescriptor,
        values: &[Value],
        path: &str,
        violations: &mut Vec<Violation>,
    ) {
        let count = values.len() as u64;
        if let Some(least) = self.min_items.filter(|least| count < *least) {
            report(violations, path, "MIN_ITEMS", format!("must have at least {least} entries"));
        }
        if let Some(most) = self.max_items.filter(|most| count > *most) {
            report(violations, path, "MAX_ITEMS", format!("must have at most {most} entries, has {count}"));
            // To look at all of them could take hours.
            return;
        }
        for (index, value) in values.iter().enumerate() {
            let path = format!("{path}[{index}]");
            if self.unique && values[..index].contains(value) {
                report(violations, &path, "UNIQUE", "repeats an earlier entry");
            }
            if let Some(items) = &self.items {
                items.check(descriptor, value, &path, violations);
            }
        }
    }
}

fn check_message(message: &DynamicMessage, path: &str, violations: &mut Vec<Violation>) {
    for field in message.descriptor().fields() {
        let path = if path.is_empty() { field.name().to_owned() } else { format!("{path}.{}", field.name()) };
        let rules = RULES.get(field.full_name());
        let present = message.has_field(&field);
        if !present && rules.is_some_and(|rules| rules.required) {
            report(violations, &path, "REQUIRED", "is missing");
        }
        // An absent field with presence has no value to check; one without presence has its default.
        if !present && field.supports_presence() {
            continue;
        }
        let value = message.get_field(&field);
        if let Some(rules) = rules {
            rules.check(&field, &value, &path, violations);
        }
        check_inner(&value, &path, violations);
    }
}

fn check_inner(value: &Value, path: &str, violations: &mut Vec<Violation>) {
    match value {
        // No rule has to say so: a database takes any text but this one.
        Value::String(text) if text.contains('\0') => {
            report(violations, path, "NUL", "must not hold the character NUL");
        }
        Value::Message(inner) if inner.descriptor().package_name().starts_with("updraft.") => {
            check_message(inner, path, violations);
        }
        Value::List(values) => {
            for (index, value) in values.iter().enumerate() {
                check_inner(value, &format!("{path}[{index}]"), violations);
            }
        }
        Value::Map(values) => {
            for (key, value) in values {
                let key = key_text(key);
                check_inner(&Value::String(key.clone()), path, violations);
                check_inner(value, &format!("{path}[{key}]"), violations);
            }
        }
        _ => {}
    }
}

fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::String(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

fn whole(value: &Value) -> Option<i64> {
    value.as_i32().map(i64::from).or_else(|| value.as_i64()).or_else(|| value.as_u32().map(i64::from))
}

fn report(violations: &mut Vec<Violation>, field: &str, code: &'static str, message: impl Display) {
    violations.push(Violation { field: field.to_owned(), code, message: message.to_string() });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Availability, TopicLevel, Window};
    use crate::enrollment::{CreateEditionRequest, DeclineApplicationRequest, SubmitApplicationRequest};

    fn codes(result: Result<(), Vec<Violation>>) -> Vec<(String, &'static str)> {
        result.unwrap_err().into_iter().map(|violation| (violation.field, violation.code)).collect()
    }

    fn application() -> SubmitApplicationRequest {
        SubmitApplicationRequest {
            edition_id: "0193a1b2-0000-7000-8000-000000000001".to_owned(),
            offers: vec![TopicLevel { topic_id: "hashtags".to_owned(), level: 4 }],
            motivation: "I like to explain.".to_owned(),
            availability: Some(Availability {
                windows: vec![Window { weekday: 1, start_minute: 540, end_minute: 720 }],
                time_zone: "Europe/Berlin".to_owned(),
                languages: vec!["de".to_owned(), "en-GB".to_owned()],
            }),
            capacity: 1,
            wished_person_ids: Vec::new(),
        }
    }

    #[test]
    fn every_rule_in_the_proto_files_is_known_here() {
        assert_eq!(unknown_rules(), Vec::<String>::new());
        assert!(RULES.len() > 100, "the rules are read at all");
    }

    #[test]
    fn a_list_that_is_too_long_is_refused_without_comparing_its_entries() {
        let mut request = application();
        let languages = (0..200_000).map(|n| format!("x{n}"));
        request.availability.as_mut().unwrap().languages = languages.collect();
        let begun = std::time::Instant::now();
        assert_eq!(codes(validate(&request)), [("availability.languages".to_owned(), "MAX_ITEMS")]);
        assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
    }

    #[test]
    fn what_is_refused_fits_into_an_answer() {
        let mut request = application();
        request.offers = vec![TopicLevel { topic_id: String::new(), level: 9 }; 50];
        assert_eq!(codes(validate(&request)).len(), VIOLATIONS_MAX);
    }

    #[test]
    fn entries_are_compared_only_in_lists_whose_length_is_limited() {
        assert!(RULES.values().all(|rules| !rules.unique || rules.max_items.is_some()));
    }

    #[test]
    fn a_good_request_passes() {
        assert_eq!(validate(&application()), Ok(()));
    }

    #[test]
    fn each_wrong_field_is_named_with_its_place() {
        let mut request = application();
        request.edition_id = "first".to_owned();
        request.offers.push(TopicLevel { topic_id: "Hashtags!".to_owned(), level: 5 });
        request.motivation = String::new();
        request.capacity = 3;
        let availability = request.availability.as_mut().unwrap();
        availability.windows[0].weekday = 0;
        availability.languages.push("de".to_owned());
        assert_eq!(
            codes(validate(&request)),
            [
                ("edition_id".to_owned(), "UUID"),
                ("offers[1].topic_id".to_owned(), "PATTERN"),
                ("offers[1].level".to_owned(), "LTE"),
                ("motivation".to_owned(), "MIN_LEN"),
                ("availability.windows[0].weekday".to_owned(), "NOT_IN"),
                ("availability.languages[2]".to_owned(), "UNIQUE"),
                ("capacity".to_owned(), "LTE"),
            ]
        );
    }

    #[test]
    fn a_text_with_a_nul_is_refused_wherever_it_stands() {
        let mut request = application();
        request.motivation = "I like\0to explain.".to_owned();
        request.offers[0].topic_id = "hash\0tags".to_owned();
        let found = codes(validate(&request));
        let named = |field: &str| found.contains(&(field.to_owned(), "NUL"));
        assert!(named("motivation") && named("offers[0].topic_id"), "{found:?}");
    }

    #[test]
    fn a_missing_part_is_named_and_not_looked_into() {
        assert_eq!(
            codes(validate(&CreateEditionRequest { settings: None })),
            [("settings".to_owned(), "REQUIRED")]
        );
    }

    #[test]
    fn an_undefined_enum_value_is_refused() {
        let id = "0193a1b2-0000-7000-8000-000000000001".to_owned();
        let request = DeclineApplicationRequest { edition_id: id.clone(), application_id: id, reason: 99 };
        assert_eq!(codes(validate(&request)), [("reason".to_owned(), "DEFINED_ONLY")]);
    }
}
