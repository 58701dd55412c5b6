//! The one event that every peer stores, and the streams it goes into.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many events a stream gets before the next one begins.
pub(crate) const STREAM_EVENTS: u64 = 10;

/// About 200 bytes of JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Happened {
    #[serde(rename = "tandemId")]
    pub(crate) tandem_id: String,
    pub(crate) text: String,
}

impl Happened {
    pub(crate) fn new() -> Self {
        Self { tandem_id: Uuid::nil().to_string(), text: "lorem ipsum ".repeat(12).trim().to_owned() }
    }
}

/// The place of the next event: a stream of its own for every few.
#[derive(Debug, Default)]
pub(crate) struct Place {
    pub(crate) stream: Uuid,
    /// Counted from 1.
    pub(crate) version: u64,
}

impl Place {
    pub(crate) fn advance(&mut self) {
        if self.version.is_multiple_of(STREAM_EVENTS) {
            *self = Self { stream: fresh(), version: 0 };
        }
        self.version += 1;
    }
}

/// Ordered by time, as the product's own ids are: an index takes them best.
#[expect(clippy::disallowed_methods, reason = "a benchmark needs streams, not ids of the product")]
pub(crate) fn fresh() -> Uuid {
    Uuid::now_v7()
}
