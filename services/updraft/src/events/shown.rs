//! An event as JSON: its fields by reflection, what is sealed as it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use eventlog::Recorded;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, ReflectMessage};
use serde_json::{Map, Value, json};

/// What the name of a field with ciphertext begins with.
const SEALED: &str = "sealed_";

/// The event; one that cannot be read is shown with its bytes and the reason, so that nothing is left out.
pub(super) fn json(event: &Recorded) -> Value {
    let mut shown = Map::from_iter([
        ("position".to_owned(), json!(event.position)),
        ("recordedAt".to_owned(), json!(event.recorded_at)),
        ("stream".to_owned(), json!({ "kind": event.stream.kind, "id": event.stream.id })),
        ("version".to_owned(), json!(event.version)),
        ("eventId".to_owned(), json!(event.event_id)),
        ("name".to_owned(), json!(event.name)),
        ("schemaVersion".to_owned(), json!(event.schema_version)),
    ]);
    if let Some(actor) = event.meta.actor {
        shown.insert("actor".to_owned(), json!(actor));
    }
    if let Some(traceparent) = &event.meta.traceparent {
        shown.insert("traceparent".to_owned(), json!(traceparent));
    }
    match data(event) {
        Ok(data) => shown.insert("data".to_owned(), data),
        Err(reason) => {
            shown.insert("unreadable".to_owned(), json!(reason));
            shown.insert("payload".to_owned(), json!(STANDARD.encode(&event.payload)))
        }
    };
    Value::Object(shown)
}

/// The message decoded.
pub(super) fn message(event: &Recorded) -> Result<DynamicMessage, String> {
    proto::upcast::upcast(&event.name, event.schema_version, &event.payload)
        .map_err(|error| error.to_string())?;
    let descriptor = proto::pool().get_message_by_name(&event.name).ok_or("no message has this name")?;
    DynamicMessage::decode(descriptor, event.payload.as_slice()).map_err(|error| error.to_string())
}

fn data(event: &Recorded) -> Result<Value, String> {
    let message = message(event)?;
    let mut data = serde_json::to_value(&message).map_err(|error| error.to_string())?;
    mark_sealed(&message.descriptor(), &mut data);
    Ok(data)
}

/// Says of each ciphertext that it is one; nobody should take it for something to be decoded.
fn mark_sealed(descriptor: &MessageDescriptor, shown: &mut Value) {
    for field in descriptor.fields() {
        let Some(value) = shown.get_mut(field.json_name()) else { continue };
        match (field.kind(), value) {
            (Kind::Bytes, value) if field.name().starts_with(SEALED) => {
                *value = json!({ "sealed": value.take() });
            }
            (Kind::Message(inner), Value::Array(values)) => {
                values.iter_mut().for_each(|value| mark_sealed(&inner, value));
            }
            (Kind::Message(inner), value) => mark_sealed(&inner, value),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use eventlog::Draft;
    use proto::enrollment::{EditionCreated, EditionRules};

    use super::*;

    #[test]
    fn fields_are_shown_by_name_and_what_is_sealed_stays_sealed() {
        let rules =
            EditionRules { months: 6, topic_ids: vec!["hashtags".to_owned()], ..EditionRules::default() };
        let event = EditionCreated {
            edition_id: "0193a1b2-0000-7000-8000-000000000001".to_owned(),
            rules: Some(rules),
            sealed_texts: b"ciphertext".to_vec(),
            ..EditionCreated::default()
        };
        let shown = json(&Draft::of(&event).rehearsed());
        let expected = json!({
            "editionId": "0193a1b2-0000-7000-8000-000000000001",
            "rules": { "months": 6, "topicIds": ["hashtags"] },
            "sealedTexts": { "sealed": "Y2lwaGVydGV4dA==" },
        });
        assert_eq!(shown["data"], expected);
        assert_eq!(shown["name"], "updraft.enrollment.v1.EditionCreated");
    }

    #[test]
    fn an_event_that_cannot_be_read_is_shown_with_its_bytes() {
        let mut event = Draft::of(&EditionCreated::default()).rehearsed();
        event.payload = vec![0xff];
        assert_eq!(json(&event)["payload"], "/w==");
        event.name = "Nothing".to_owned();
        assert_eq!(json(&event)["unreadable"], "no message has this name");
    }
}
