//! The event that is appended everywhere: 200 bytes, however they are encoded.

use eventlog::{Draft, StreamId};
use proto::sessions::QuestionAsked;
use uuid::Uuid;

/// The kind of all streams.
pub(crate) const KIND: &str = "bench";
const BYTES: usize = 200;

/// A message of the product, with a sealed text that fills it up.
pub(crate) fn message(number: u32) -> QuestionAsked {
    let id = Uuid::nil().to_string();
    QuestionAsked {
        question_id: Uuid::from_u128(number.into()).to_string(),
        tandem_id: id.clone(),
        edition_id: id.clone(),
        sealed_text: vec![7; BYTES - 4 * (id.len() + 2) - 2],
        topic_id: String::new(),
        asked_by_person_id: id,
    }
}

/// The number that a message was made with.
pub(crate) fn number(message: &QuestionAsked) -> Option<u32> {
    u32::try_from(message.question_id.parse::<Uuid>().ok()?.as_u128()).ok()
}

/// As many drafts of it.
pub(crate) fn drafts(count: usize, number: u32) -> Vec<Draft> {
    (0..count).map(|_| Draft::of(&message(number))).collect()
}

/// A stream that nobody has appended to.
pub(crate) fn stream() -> StreamId {
    StreamId { kind: KIND.to_owned(), id: fresh_id() }
}

/// Ordered by time, as the product's own ids are.
#[expect(clippy::disallowed_methods, reason = "a benchmark needs streams, not ids of the product")]
pub(crate) fn fresh_id() -> Uuid {
    Uuid::now_v7()
}

/// The name under which the message is stored.
pub(crate) fn name() -> String {
    "updraft.sessions.v1.QuestionAsked".to_owned()
}

/// The same number of bytes as text that a server takes in without unescaping any.
pub(crate) fn ascii() -> String {
    "p".repeat(BYTES)
}

/// About the same number of bytes as JSON.
pub(crate) fn json() -> String {
    format!(r#"{{"tandemId":"{}","text":"{}"}}"#, Uuid::nil(), "lorem ipsum ".repeat(12).trim())
}
