//! Traces, metrics and logs of a process, and the context that ties them together.
//!
//! [`start`] sets the process up and answers with a [`Guard`] that delivers what is left when it is dropped.
//! [`ServerLayer`] and [`ClientLayer`] carry the W3C trace context over HTTP and gRPC; [`current_traceparent`] and
//! [`follow_span`] carry it through recorded events to their followers.
//!
//! Where the signals go:
//!
//! | signal | always | when the standard `OTEL_EXPORTER_OTLP_*` variables name a collector |
//! |---|---|---|
//! | logs | standard error, one line each with `trace_id` and `span_id` | OTLP over gRPC |
//! | metrics | the Prometheus page, [`metrics_page`] | OTLP over gRPC |
//! | traces | ids in logs, events and headers | OTLP over gRPC |
//!
//! # No personal data
//!
//! A log line, a span, a metric label may hold ids, positions, counts, durations, states and names of our own code:
//! never a name, an address, a birth date or text that somebody wrote, and a metric not even the id of a person or a
//! tandem. For that reason the layers here record the template of a path, never the path, and no header and no query.

mod call;
mod config;
mod context;
mod export;
mod layer;
mod lines;
mod start;

pub use opentelemetry::{KeyValue, metrics};

pub use self::{
    config::{Config, LogFormat},
    context::{current_traceparent, follow_span},
    layer::{Body, ClientLayer, ServerLayer, Traced},
    start::{Guard, TelemetryError, metrics_page, start},
};

/// The meter of our own measurements; ask after [`start`].
///
/// An instrument that is made before [`start`] records nothing, ever.
#[must_use]
pub fn meter() -> metrics::Meter {
    opentelemetry::global::meter("updraft")
}
