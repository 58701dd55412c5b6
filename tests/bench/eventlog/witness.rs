//! A follower that decodes every event and counts what does not come as it should.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use eventlog::{BoxError, Follower, Recorded};
use proto::sessions::QuestionAsked;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::peers::Race;

/// The follower; its clones count together.
#[derive(Clone)]
pub(crate) struct Witness {
    name: &'static str,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    position: i64,
    versions: HashMap<Uuid, i64>,
    events: u64,
    duplicated: u64,
    disordered: u64,
}

impl Witness {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, seen: Arc::default() }
    }

    /// Takes in events that somebody else has decoded.
    pub(crate) fn take(&self, events: &[Recorded]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            seen.take(event);
        }
    }

    /// What it missed of so many events that are stored.
    ///
    /// Positions only grow, so that the events it has seen are different ones, and all stored ones if they are as many.
    pub(crate) fn race(&self, written: u64) -> Race {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (duplicated, disordered) = (seen.duplicated, seen.disordered);
        Race { written, lost: written.saturating_sub(seen.events), duplicated, disordered }
    }
}

impl Follower for Witness {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn project(&self, _: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        for event in events {
            event.read::<QuestionAsked>()?;
        }
        self.take(events);
        Ok(())
    }
}

impl Seen {
    fn take(&mut self, event: &Recorded) {
        if event.position <= self.position {
            self.duplicated += 1;
            return;
        }
        self.position = event.position;
        self.events += 1;
        let before = self.versions.insert(event.stream.id, event.version).unwrap_or(0);
        self.disordered += u64::from(event.version != before + 1);
    }
}
