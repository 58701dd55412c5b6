//! The W3C trace context: out of headers and events, and into them.
//!
//! # Source
//!
//! W3C Recommendation "Trace Context", <https://www.w3.org/TR/trace-context/>. Baggage is left out on purpose: a caller
//! could smuggle personal data through every service with it.

use std::collections::{HashMap, HashSet};

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{SpanContext, TraceContextExt, TraceFlags},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The most links of a span, as the specification of OpenTelemetry limits them.
const LINKS_MAX: usize = 128;

/// The current span as a W3C `traceparent`, to be stored or sent.
///
/// `None` outside any span.
#[must_use]
pub fn current_traceparent() -> Option<String> {
    current().map(|span| {
        let flags = span.trace_flags() & TraceFlags::SAMPLED;
        format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id())
    })
}

/// A consumer span for what was recorded in these spans, each a W3C `traceparent`.
///
/// The first one is its parent, and it is linked to the others. Without a `traceparent`, or with a malformed one, the span
/// begins a trace of its own.
#[must_use]
pub fn follow_span<'a>(name: &'static str, traceparents: impl IntoIterator<Item = &'a str>) -> Span {
    let span = info_span!(parent: None, "follow", otel.name = name, otel.kind = "consumer");
    let mut traceparents = traceparents.into_iter();
    let Some(first) = traceparents.next() else { return span };
    adopt(&span, &carrier(first));
    let mut linked = HashSet::from([first]);
    for other in traceparents.filter(|other| linked.insert(other)).take(LINKS_MAX) {
        span.add_link(remote(&carrier(other)).span().span_context().clone());
    }
    span
}

/// The span that is entered on this thread, if there is one.
pub(crate) fn current() -> Option<SpanContext> {
    Context::map_current(|context| Some(context.span().span_context().clone()).filter(SpanContext::is_valid))
}

/// Makes the remote span named in the headers the parent of `span`.
pub(crate) fn adopt_headers(span: &Span, headers: &HeaderMap) {
    adopt(span, &Headers(headers));
}

/// Writes the context of `span` into the headers.
pub(crate) fn inject_headers(span: &Span, headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject_context(&span.context(), &mut HeadersMut(headers));
}

fn carrier(traceparent: &str) -> HashMap<String, String> {
    HashMap::from([("traceparent".to_owned(), traceparent.to_owned())])
}

fn remote(carrier: &dyn Extractor) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), carrier)
}

fn adopt(span: &Span, carrier: &dyn Extractor) {
    let parent = remote(carrier);
    // It fails only where nothing is traced: before `start`, and in tests that do not start telemetry.
    let _ = span.set_parent(parent);
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        // The propagator writes an empty `tracestate` where there is none.
        if value.is_empty() {
            return;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}
