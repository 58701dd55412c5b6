use std::{
    io::{self, IsTerminal},
    sync::OnceLock,
};

use opentelemetry::{global, trace::TracerProvider};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::{
    error::{OTelSdkError, OTelSdkResult},
    logs::SdkLoggerProvider,
    metrics::SdkMeterProvider,
    trace::SdkTracerProvider,
};
use prometheus::{Registry, TextEncoder};
use thiserror::Error;
use tracing::{Level, Metadata, error, level_filters::LevelFilter, subscriber::NoSubscriber, warn};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, ParseError, filter_fn},
    fmt,
    layer::SubscriberExt,
};

use crate::{
    config::{Config, LogFormat},
    export::{Courier, Exporters, resource},
    lines::Lines,
};

/// The libraries that carry the exports; what they do is not exported, else every export would cause the next.
const CARRIERS: [&str; 5] = ["h2", "hyper", "opentelemetry", "tonic", "tower"];

static PAGE: OnceLock<Registry> = OnceLock::new();

/// Why telemetry could not be started.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The log filter is not one.
    #[error("the log filter is not valid")]
    Filter(#[from] ParseError),
    /// The `OTEL_*` variables ask for what cannot be done.
    #[error("the OTLP exporter cannot be built from the OTEL_ variables")]
    Exporter(#[from] ExporterBuildError),
    /// Another protocol than gRPC is asked for.
    #[error("OTLP is spoken over grpc only, not over {0}")]
    Protocol(String),
    /// The file of the collector's certificate authority could not be read.
    #[error("the file in OTEL_EXPORTER_OTLP_CERTIFICATE cannot be read")]
    Certificate(#[source] io::Error),
    /// The thread that talks to the collector could not be started.
    #[error("the thread of the OTLP exporter cannot be started")]
    Courier(#[source] io::Error),
    /// The metrics page could not be set up.
    #[error("the metrics page cannot be set up")]
    Page(#[from] OTelSdkError),
    /// This process has a subscriber already.
    #[error("telemetry was started already")]
    AlreadyStarted,
}

/// Delivers what is left when dropped; keep it until the very end of `main`.
///
/// `std::process::exit` drops nothing: call [`Guard::flush`] before it.
#[must_use = "telemetry ends when the guard is dropped"]
pub struct Guard {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
    logs: Option<SdkLoggerProvider>,
    _courier: Courier,
}

impl Guard {
    /// Sends what is waiting and returns when it has arrived; at most some seconds per signal.
    ///
    /// A collector that does not answer is a warning in the log, never a failure of the process.
    pub fn flush(&self) {
        report("traces", self.traces.force_flush());
        report("metrics", self.metrics.force_flush());
        report("logs", self.logs.as_ref().map_or(Ok(()), SdkLoggerProvider::force_flush));
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        report("traces", self.traces.shutdown());
        report("metrics", self.metrics.shutdown());
        report("logs", self.logs.as_ref().map_or(Ok(()), SdkLoggerProvider::shutdown));
    }
}

fn report(signal: &'static str, delivered: OTelSdkResult) {
    if let Err(error) = delivered {
        warn!(signal, error = &error as &dyn std::error::Error, "telemetry was not delivered");
    }
}

/// Starts logs, metrics and traces of this process; the first thing `main` does.
///
/// `service_name` is the `service.name` unless the environment sets another. Works with and without a runtime around.
///
/// # Errors
///
/// [`TelemetryError::Filter`] if the log filter cannot be parsed; [`TelemetryError::Exporter`],
/// [`TelemetryError::Protocol`] or [`TelemetryError::Certificate`] if the `OTEL_*` variables cannot be followed;
/// [`TelemetryError::Courier`] if the exporter's thread cannot be started; [`TelemetryError::Page`] if the metrics page
/// cannot be set up; [`TelemetryError::AlreadyStarted`] if this is not the first call in the process.
pub fn start(config: &Config, service_name: &'static str) -> Result<Guard, TelemetryError> {
    let courier = Courier::try_new()?;
    let exporters = {
        let _entered = courier.enter();
        Exporters::try_new()?
    };
    let resource = resource(service_name);

    let mut traces = SdkTracerProvider::builder().with_resource(resource.clone());
    if let Some(exporter) = exporters.spans {
        traces = traces.with_batch_exporter(exporter);
    }
    let traces = traces.build();

    let registry = Registry::new();
    let page = opentelemetry_prometheus::exporter().with_registry(registry.clone()).scope_info_enabled(false);
    let mut metrics = SdkMeterProvider::builder().with_resource(resource.clone()).with_reader(page.build()?);
    if let Some(exporter) = exporters.metrics {
        metrics = metrics.with_periodic_exporter(exporter);
    }
    let metrics = metrics.build();

    let logs = exporters.logs.map(|exporter| {
        SdkLoggerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build()
    });

    let guard = Guard { traces, metrics, logs, _courier: courier };
    subscribe(config, &guard)?;
    log_panics();
    // It announces itself at every start, which nobody needs to read.
    tracing::subscriber::with_default(NoSubscriber::new(), || {
        global::set_meter_provider(guard.metrics.clone());
    });
    PAGE.get_or_init(|| registry);
    Ok(guard)
}

/// Makes the subscriber of the process: spans to the tracer, events to standard error and to the collector.
fn subscribe(config: &Config, guard: &Guard) -> Result<(), TelemetryError> {
    let format = config.format();
    let lines = fmt::layer()
        .event_format(Lines(format))
        .with_ansi(format == LogFormat::Text && io::stderr().is_terminal())
        .with_writer(io::stderr)
        // A reader that has gone away is no reason to panic.
        .log_internal_errors(false)
        .with_filter(filter(config)?);

    // Events are logs and carry the ids of their span; as events of the span they would be sent twice.
    let spans =
        filter_fn(|metadata| metadata.is_span() && *metadata.level() <= Level::INFO && ours(metadata));
    let traces = tracing_opentelemetry::layer()
        .with_tracer(guard.traces.tracer("updraft"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(spans.with_max_level_hint(Level::INFO));

    let filter = filter(config)?.and(filter_fn(ours).with_max_level_hint(Level::TRACE));
    let logs = guard.logs.as_ref().map(|logs| OpenTelemetryTracingBridge::new(logs).with_filter(filter));

    let subscriber = tracing_subscriber::registry().with(traces).with(logs).with(lines);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| TelemetryError::AlreadyStarted)
}

/// Makes a panic a line like every other, with the ids of the span it happened in.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        error!(location, cause = panic.payload_as_str(), "a thread panicked");
    }));
}

/// Whether a span or an event is not the doing of a carrier.
fn ours(metadata: &Metadata<'_>) -> bool {
    !CARRIERS.iter().any(|carrier| metadata.target().starts_with(carrier))
}

fn filter(config: &Config) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).parse(&config.log_filter)
}

/// All metrics of the process in the text format of Prometheus; empty before [`start`].
///
/// Serve it as `text/plain; version=0.0.4`.
#[must_use]
pub fn metrics_page() -> String {
    let families = PAGE.get().map(Registry::gather).unwrap_or_default();
    TextEncoder::new().encode_to_string(&families).unwrap_or_else(|error| {
        warn!(error = &error as &dyn std::error::Error, "the metrics page could not be written");
        String::new()
    })
}
