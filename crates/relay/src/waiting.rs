//! How much waits for the broker, and for how long.

use std::time::Instant;

use eventlog::Heads;
use opentelemetry::metrics::Gauge;

/// What is measured of the relay.
pub(crate) struct Waiting {
    heads: Heads,
    lag: Gauge<i64>,
    delay: Gauge<f64>,
}

impl Waiting {
    pub(crate) fn new() -> Self {
        let meter = telemetry::meter();
        Self {
            heads: Heads::default(),
            lag: meter
                .i64_gauge("eventlog.relay.lag")
                .with_description("Positions that are safe to be read and not in the broker's stream yet.")
                .build(),
            delay: meter
                .f64_gauge("eventlog.relay.delay")
                .with_unit("s")
                .with_description(
                    "Time for which there has been an event that the broker does not have, at most an hour.",
                )
                .build(),
        }
    }

    /// Takes in how far the log and the broker have come by now.
    pub(crate) fn saw(&mut self, safe: i64, reached: i64, now: Instant) {
        self.heads.saw(safe, now);
        self.lag.record((safe - reached).max(0), &[]);
        self.delay.record(self.heads.lag(reached, now).as_secs_f64(), &[]);
        self.heads.forget(Some(reached));
    }
}
