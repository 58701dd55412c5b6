//! What is measured of appends, in whichever way they are made.

use std::time::Instant;

use opentelemetry::metrics::{Counter, Histogram};

use crate::{Error, Outcome};

/// The instruments of a journal or an appender.
#[derive(Debug)]
pub(crate) struct Instruments {
    callers: Histogram<u64>,
    duration: Histogram<f64>,
    events: Counter<u64>,
    conflicts: Counter<u64>,
}

impl Instruments {
    pub(crate) fn new() -> Self {
        let meter = telemetry::meter();
        Self {
            callers: meter
                .u64_histogram("eventlog.append.callers")
                .with_description("Callers whose appends went into one commit.")
                .with_boundaries(vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0])
                .build(),
            duration: meter
                .f64_histogram("eventlog.append.duration")
                .with_unit("s")
                .with_description(
                    "Time from handing an append in to its answer: the queue, the commit, the inline views.",
                )
                .with_boundaries(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5])
                .build(),
            events: meter
                .u64_counter("eventlog.append.events")
                .with_description("Events recorded; those of a longer transaction count before its commit.")
                .build(),
            conflicts: meter
                .u64_counter("eventlog.append.conflicts")
                .with_description("Appends that met a changed stream, a taken key or a deadlock.")
                .build(),
        }
    }

    /// How many share a commit.
    pub(crate) fn shared(&self, callers: usize) {
        self.callers.record(callers as u64, &[]);
    }

    /// Somebody has waited until now.
    pub(crate) fn answered(&self, since: Instant) {
        self.duration.record(since.elapsed().as_secs_f64(), &[]);
    }

    /// What became of an append.
    pub(crate) fn appended(&self, outcome: &Result<Outcome, Error>) {
        match outcome {
            Ok(Outcome::Recorded(events)) => self.recorded(events.len()),
            Ok(Outcome::Contended | Outcome::KeyTaken) => self.contended(),
            Err(error) => self.failed(error),
        }
    }

    /// So many events were recorded.
    pub(crate) fn recorded(&self, events: usize) {
        self.events.add(events as u64, &[]);
    }

    /// Nothing was recorded, as somebody else came first.
    pub(crate) fn contended(&self) {
        self.conflicts.add(1, &[]);
    }

    /// Nothing was recorded; it may be that somebody else came first.
    pub(crate) fn failed(&self, error: &Error) {
        if error.is_conflict() {
            self.contended();
        }
    }
}
