//! Schema versions of events: a message of an old one is brought up to date when it is read.
//!
//! A message only grows, and what it says need not be told twice. When its meaning changes in a way that a new field cannot
//! express, its schema version grows instead: a step from the old version is added to `STEPS`, and from then on the new version
//! is written. There is one list for everybody, because a service may follow the events of any other.

use prost::DecodeError;

/// One schema version to the next, or to the message that took its place.
#[derive(Debug)]
struct Step {
    from: (&'static str, i16),
    into: (&'static str, i16),
    payload: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
}

/// Every step there is. No event has had more than one schema version so far.
static STEPS: &[Step] = &[];

/// An event in the schema version that this program writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upcast {
    /// The full name of the message.
    pub name: String,
    /// Its schema version.
    pub schema_version: i16,
    /// The encoded message.
    pub payload: Vec<u8>,
}

/// Why an event cannot be brought up to date.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum UpcastError {
    /// A newer program has written it.
    #[error("its schema version is {written}, and this program knows {known} at most")]
    Newer {
        /// The schema version it was written in.
        written: i16,
        /// The newest one that this program knows.
        known: i16,
    },
    /// It has a version that never was.
    #[error("there never was a schema version {0} of it")]
    Unknown(i16),
    /// Its bytes are no message of its version.
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
}

/// The schema version in which a message is written.
#[must_use]
pub fn schema_version(name: &str) -> i16 {
    current(STEPS, name)
}

/// Brings an event up to date; `None` if it is already.
///
/// # Errors
/// [`UpcastError`], which tells an event of a newer program from one that is damaged.
pub fn upcast(name: &str, schema_version: i16, payload: &[u8]) -> Result<Option<Upcast>, UpcastError> {
    follow(STEPS, name, schema_version, payload)
}

fn current(steps: &[Step], name: &str) -> i16 {
    steps
        .iter()
        .map(|step| step.into)
        .filter(|(into, _)| *into == name)
        .map(|(_, version)| version)
        .max()
        .unwrap_or(1)
}

fn follow(
    steps: &[Step],
    name: &str,
    schema_version: i16,
    payload: &[u8],
) -> Result<Option<Upcast>, UpcastError> {
    let mut reached = None;
    let (mut at, mut version) = (name, schema_version);
    while let Some(step) = steps.iter().find(|step| step.from == (at, version)) {
        let payload = (step.payload)(reached.as_ref().map_or(payload, |upcast: &Upcast| &upcast.payload))?;
        (at, version) = step.into;
        reached = Some(Upcast { name: at.to_owned(), schema_version: version, payload });
    }
    let known = current(steps, at);
    if version > known {
        return Err(UpcastError::Newer { written: version, known });
    }
    if version < known {
        return Err(UpcastError::Unknown(version));
    }
    Ok(reached)
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::api::TopicLevel;

    /// Levels once counted from 0 to 8; later the message was given another name.
    static EXAMPLE: &[Step] = &[
        Step { from: ("Asked", 1), into: ("Asked", 2), payload: halved },
        Step { from: ("Asked", 2), into: ("Answered", 1), payload: |payload| Ok(payload.to_vec()) },
    ];

    fn halved(payload: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let old = TopicLevel::decode(payload)?;
        Ok(TopicLevel { level: old.level / 2, ..old }.encode_to_vec())
    }

    fn level(level: i32) -> Vec<u8> {
        TopicLevel { topic_id: "hashtags".to_owned(), level }.encode_to_vec()
    }

    #[test]
    fn an_old_event_takes_every_step_and_a_current_one_none() {
        let upcast = follow(EXAMPLE, "Asked", 1, &level(8)).unwrap();
        let expected = Upcast { name: "Answered".to_owned(), schema_version: 1, payload: level(4) };
        assert_eq!(upcast, Some(expected));
        assert_eq!(follow(EXAMPLE, "Answered", 1, &level(4)), Ok(None));
        assert_eq!(follow(EXAMPLE, "Other", 1, &[]), Ok(None));
    }

    #[test]
    fn the_newest_schema_version_is_written() {
        assert_eq!((current(EXAMPLE, "Asked"), current(EXAMPLE, "Other")), (2, 1));
    }

    #[test]
    fn what_a_newer_program_wrote_and_what_never_was_is_refused() {
        assert_eq!(follow(EXAMPLE, "Asked", 3, &[]), Err(UpcastError::Newer { written: 3, known: 2 }));
        assert_eq!(follow(EXAMPLE, "Asked", 0, &[]), Err(UpcastError::Unknown(0)));
        assert!(matches!(follow(EXAMPLE, "Asked", 1, &[0xff]), Err(UpcastError::Unreadable(_))));
    }

    #[test]
    fn every_step_leads_to_an_event_that_there_is() {
        for step in STEPS {
            let end = follow(STEPS, step.into.0, step.into.1, &[]);
            assert!(!matches!(end, Err(UpcastError::Unknown(_) | UpcastError::Newer { .. })), "{step:?}");
        }
    }
}
