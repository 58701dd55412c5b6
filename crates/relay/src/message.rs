//! An event as a message.

use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use eventlog::Recorded;

/// What all subjects begin with.
pub(crate) const SUBJECTS: &str = "updraft.events";

/// The headers by which an event is known again.
pub(crate) const ID: &str = "ce-id";
pub(crate) const TIME: &str = "ce-time";

/// The subject of an event: its kind of stream and the short name of its message.
pub(crate) fn subject(event: &Recorded) -> String {
    let name = event.name.rsplit('.').next().unwrap_or(&event.name);
    format!("{SUBJECTS}.{}.{name}", event.stream.kind)
}

/// The message, accepted only behind the one with this sequence number.
pub(crate) fn message(event: &Recorded, last_sequence: u64) -> PublishMessage {
    PublishMessage::build()
        .payload(event.payload.clone().into())
        .headers(attributes(event))
        .message_id(event.position.to_string())
        .expected_last_sequence(last_sequence)
}

/// The attributes of the `CloudEvent`; those behind `time` are extensions.
fn attributes(event: &Recorded) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name: &str, value: String| headers.insert(name, value);
    set("ce-specversion", "1.0".to_owned());
    set(ID, event.event_id.to_string());
    set("ce-source", "/updraft".to_owned());
    set("ce-type", event.name.clone());
    set("ce-subject", format!("{}/{}", event.stream.kind, event.stream.id));
    set("ce-datacontenttype", "application/protobuf".to_owned());
    set(TIME, event.recorded_at.to_string());
    set("ce-sequence", event.position.to_string());
    set("ce-streamversion", event.version.to_string());
    set("ce-schemaversion", event.schema_version.to_string());
    if let Some(actor) = event.meta.actor {
        set("ce-actor", actor.to_string());
    }
    if let Some(traceparent) = &event.meta.traceparent {
        set("ce-traceparent", traceparent.clone());
    }
    headers
}
