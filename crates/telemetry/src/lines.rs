//! Log lines: as JSON objects or as text, each with the ids of the span it belongs to.

use std::{error::Error, fmt};

use opentelemetry::trace::SpanContext;
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use crate::{config::LogFormat, context};

/// Writes an event as one line in the chosen format.
pub(crate) struct Lines(pub(crate) LogFormat);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        fields: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if self.0 == LogFormat::Json {
            return json(line, event);
        }
        SystemTime.format_time(&mut line)?;
        write!(line, " {:>5} {}: ", event.metadata().level(), event.metadata().target())?;
        fields.format_fields(line.by_ref(), event)?;
        if let Some(span) = context::current() {
            write!(line, " trace_id={} span_id={}", span.trace_id(), span.span_id())?;
        }
        writeln!(line)
    }
}

fn json(mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
    let mut timestamp = String::new();
    SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
    let mut fields = Fields::default();
    event.record(&mut fields);
    let object = Object {
        timestamp,
        level: event.metadata().level().as_str(),
        target: event.metadata().target(),
        message: fields.message,
        fields: fields.others,
        span: context::current().as_ref().map(Ids::of),
    };
    writeln!(line, "{}", serde_json::to_string(&object).map_err(|_| fmt::Error)?)
}

#[derive(Serialize)]
struct Object<'a> {
    timestamp: String,
    level: &'a str,
    target: &'a str,
    message: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
    #[serde(flatten)]
    span: Option<Ids>,
}

#[derive(Serialize)]
struct Ids {
    trace_id: String,
    span_id: String,
}

impl Ids {
    fn of(span: &SpanContext) -> Self {
        Self { trace_id: span.trace_id().to_string(), span_id: span.span_id().to_string() }
    }
}

/// The fields of an event as JSON; numbers stay numbers, an error brings its sources.
#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.others.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            _ => self.put(field, format!("{value:?}")),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            _ => self.put(field, value),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        self.put(field, text);
    }
}
