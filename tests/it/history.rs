//! Every event that was ever written is still read.
//!
//! `proto/history` holds a file for each event, with a line for each form that it ever had: its schema version, its bytes, and
//! what these said when they were recorded. `make record` appends the form of today where it is new; no line is ever changed or
//! removed.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use eventlog::{Aggregate, Draft, Recorded};
use prost_reflect::prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Set by `make record`.
const RECORD: &str = "UPDRAFT_RECORD_HISTORY";
/// What is in an event only as ciphertext; it has to be readable as long, but no stream consists of it.
const SEALED: [&str; 2] = ["updraft.enrollment.v1.EditionTexts", "updraft.enrollment.v1.AgeRuleTexts"];

/// One form that an event had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    schema_version: i16,
    /// Hexadecimal.
    payload: String,
    data: serde_json::Value,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto/history")
}

/// Every message that is stored by itself: those of the events' files that are no part of another.
fn stored() -> Vec<MessageDescriptor> {
    let files = proto::pool().files().filter(|file| file.name().ends_with("/events.proto"));
    let messages: Vec<_> = files.flat_map(|file| file.messages().collect::<Vec<_>>()).collect();
    let parts: BTreeSet<String> = messages
        .iter()
        .flat_map(|message| message.fields().collect::<Vec<_>>())
        .filter_map(|field| field.kind().as_message().map(|part| part.full_name().to_owned()))
        .collect();
    messages.into_iter().filter(|message| !parts.contains(message.full_name())).collect()
}

fn forms(name: &str) -> Vec<Form> {
    let text = fs::read_to_string(folder().join(format!("{name}.jsonl"))).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}")))
        .collect()
}

/// The form of today, with every field set to something that fits it.
fn today(descriptor: &MessageDescriptor) -> Form {
    let message = filled(descriptor);
    Form {
        schema_version: proto::upcast::schema_version(descriptor.full_name()),
        payload: hexadecimal(&message.encode_to_vec()),
        data: serde_json::to_value(&message).unwrap(),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn filled(descriptor: &MessageDescriptor) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    if descriptor.full_name() == "google.protobuf.Timestamp" {
        message.set_field_by_name("seconds", Value::I64(1_378_000_000));
        return message;
    }
    for field in descriptor.fields() {
        let value = if field.is_map() {
            Value::Map([(MapKey::String("hashtags".to_owned()), Value::String("A word".to_owned()))].into())
        } else if field.is_list() {
            Value::List(vec![filled_field(&field)])
        } else {
            filled_field(&field)
        };
        message.set_field(&field, value);
    }
    message
}

fn filled_field(field: &FieldDescriptor) -> Value {
    match field.kind() {
        Kind::String => Value::String(text(field)),
        Kind::Bytes => Value::Bytes(field.name().as_bytes().to_vec().into()),
        Kind::Bool => Value::Bool(true),
        // Together the weights are 10,000; the six before it have their numbers.
        Kind::Int32 if field.full_name() == "updraft.matching.v1.Weights.load_balance" => {
            Value::I32(10_000 - (1..=6).sum::<i32>())
        }
        Kind::Int32 => Value::I32(i32::try_from(field.number()).unwrap()),
        Kind::Int64 => Value::I64(field.number().into()),
        Kind::Enum(values) => Value::EnumNumber(
            values.values().map(|value| value.number()).find(|number| *number != 0).unwrap(),
        ),
        Kind::Message(inner) => Value::Message(filled(&inner)),
        other => panic!("{}: say here what a {other:?} may be", field.full_name()),
    }
}

fn text(field: &FieldDescriptor) -> String {
    let name = field.name();
    if name.starts_with("topic_id") {
        "hashtags".to_owned()
    } else if name == "source_id" {
        "payroll".to_owned()
    } else if name.ends_with("_id") || name.ends_with("_ids") {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, field.full_name().as_bytes()).to_string()
    } else if name.ends_with("_date") || name.ends_with("_day") {
        "2014-09-01".to_owned()
    } else if name == "time_zone" {
        "Europe/Berlin".to_owned()
    } else if name == "region" {
        "DE-HE".to_owned()
    } else {
        "de".to_owned()
    }
}

fn bytes(form: &Form) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&form.payload[at..at + 2], 16).unwrap();
    (0..form.payload.len()).step_by(2).map(digits).collect()
}

/// The event as the log would give it to its readers.
fn read_back(name: &str, form: &Form) -> Recorded {
    let mut event = Draft::of(&()).rehearsed();
    name.clone_into(&mut event.name);
    event.schema_version = form.schema_version;
    event.payload = bytes(form);
    event.upcast()
}

/// What an aggregate makes of an event: its kind, if it can read it.
type Reader = fn(&Recorded) -> Option<&'static str>;

fn reader<A: Aggregate>(event: &Recorded) -> Option<&'static str> {
    A::decode(event).is_ok().then_some(A::KIND)
}

/// Every aggregate of every service.
const READERS: [Reader; 12] = [
    reader::<enrollment::codec::Person>,
    reader::<enrollment::codec::Edition>,
    reader::<enrollment::codec::Application>,
    reader::<enrollment::codec::Obligation>,
    reader::<enrollment::codec::Source>,
    reader::<matching::codec::Run>,
    reader::<matching::codec::Tandem>,
    reader::<matching::codec::Place>,
    reader::<matching::codec::Document>,
    reader::<matching::codec::Repair>,
    reader::<sessions::codec::Series>,
    reader::<sessions::codec::FollowUp>,
];

#[test]
fn every_event_is_recorded_in_its_form_of_today() {
    let recording = std::env::var_os(RECORD).is_some();
    for descriptor in stored() {
        let (name, today) = (descriptor.full_name(), today(&descriptor));
        let mut forms = forms(name);
        if recording && forms.last() != Some(&today) {
            forms.push(today.clone());
            let lines = forms.iter().map(|form| serde_json::to_string(form).unwrap() + "\n");
            fs::create_dir_all(folder()).unwrap();
            fs::write(folder().join(format!("{name}.jsonl")), lines.collect::<String>()).unwrap();
        }
        assert_eq!(forms.last(), Some(&today), "{name} is new or has changed: run `make record`");
    }
}

#[test]
fn every_event_ever_written_is_read_by_exactly_one_kind_of_stream() {
    let mut recorded = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        for form in forms(name) {
            recorded += 1;
            let event = read_back(name, &form);
            assert_eq!(
                event.schema_version,
                proto::upcast::schema_version(&event.name),
                "{name} is not upcast"
            );
            let kinds: Vec<_> = READERS.iter().filter_map(|reader| reader(&event)).collect();
            let expected = usize::from(!SEALED.contains(&name));
            assert_eq!(kinds.len(), expected, "{name} is read by the streams {kinds:?}");
            analytics::codec::fact(&event).unwrap_or_else(|error| panic!("{error}"));
            notifications::codec::fact(&event).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    assert!(recorded >= 50, "{recorded} forms");
}

#[test]
fn what_was_recorded_still_says_the_same() {
    for descriptor in stored() {
        let name = descriptor.full_name();
        let today = proto::upcast::schema_version(name);
        for form in forms(name).iter().filter(|form| form.schema_version == today) {
            let message = DynamicMessage::decode(descriptor.clone(), bytes(form).as_slice()).unwrap();
            assert_eq!(message.unknown_fields().count(), 0, "{name} has lost a field");
            assert_eq!(
                serde_json::to_value(&message).unwrap(),
                form.data,
                "{name} is read as something else"
            );
        }
    }
}

#[test]
fn the_aggregates_of_all_services_are_known_here() {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services");
    let mut implementations = 0;
    for service in fs::read_dir(services).unwrap() {
        let codec = service.unwrap().path().join("src/codec");
        for file in fs::read_dir(codec).into_iter().flatten() {
            let Ok(text) = fs::read_to_string(file.unwrap().path()) else { continue };
            implementations += text.matches("impl Aggregate for").count();
        }
    }
    assert_eq!(implementations, READERS.len());
}
