//! The way to a collector, chosen by the standard environment variables.
//!
//! # Source
//!
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/> and
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>.

use std::env;

use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter, WithTonicConfig};
use opentelemetry_sdk::{
    Resource,
    resource::{EnvResourceDetector, TelemetryResourceDetector},
};
use tokio::runtime::{Builder, EnterGuard, Runtime};
use tonic::transport::{Certificate, ClientTlsConfig};

use crate::TelemetryError;

const TRACES: &str = "TRACES";
const METRICS: &str = "METRICS";
const LOGS: &str = "LOGS";

/// The exporters of the signals that go to a collector.
pub(crate) struct Exporters {
    pub(crate) spans: Option<SpanExporter>,
    pub(crate) metrics: Option<MetricExporter>,
    pub(crate) logs: Option<LogExporter>,
}

impl Exporters {
    /// Builds the exporters of the signals that the environment names a collector for.
    pub(crate) fn try_new() -> Result<Self, TelemetryError> {
        let spans = || Ok::<_, TelemetryError>(secured(SpanExporter::builder().with_tonic())?.build()?);
        let metrics = || Ok::<_, TelemetryError>(secured(MetricExporter::builder().with_tonic())?.build()?);
        let logs = || Ok::<_, TelemetryError>(secured(LogExporter::builder().with_tonic())?.build()?);
        Ok(Self {
            spans: wanted(TRACES)?.then(spans).transpose()?,
            metrics: wanted(METRICS)?.then(metrics).transpose()?,
            logs: wanted(LOGS)?.then(logs).transpose()?,
        })
    }
}

/// Whether the environment names a collector for the signal and does not switch it off.
fn wanted(signal: &str) -> Result<bool, TelemetryError> {
    let off = set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || set(&format!("OTEL_{signal}_EXPORTER")).is_some_and(|value| value == "none");
    if off || otlp(signal, "ENDPOINT").is_none() {
        return Ok(false);
    }
    match otlp(signal, "PROTOCOL") {
        Some(protocol) if protocol != "grpc" => Err(TelemetryError::Protocol(protocol)),
        _ => Ok(true),
    }
}

/// Trusts the certificate authority of the environment, if it names one.
fn secured<B: WithTonicConfig>(builder: B) -> Result<B, TelemetryError> {
    let Some(path) = set("OTEL_EXPORTER_OTLP_CERTIFICATE") else {
        return Ok(builder);
    };
    let authority = std::fs::read(path).map_err(TelemetryError::Certificate)?;
    Ok(builder.with_tls_config(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority))))
}

/// The setting of one signal, else the setting of all.
fn otlp(signal: &str, name: &str) -> Option<String> {
    set(&format!("OTEL_EXPORTER_OTLP_{signal}_{name}")).or_else(|| set(&format!("OTEL_EXPORTER_OTLP_{name}")))
}

/// A variable that is not empty: the standard treats an empty one as absent.
fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whose signals these are: our name and version, unless the environment says otherwise.
pub(crate) fn resource(service_name: &'static str) -> Resource {
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", service_name),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())]);
    match set("OTEL_SERVICE_NAME") {
        Some(name) => resource.with_service_name(name).build(),
        None => resource.build(),
    }
}

/// A thread of its own for the connections to the collector.
///
/// Signals can so be sent while the process has no runtime yet, or no longer, or blocks the only thread of it.
pub(crate) struct Courier(Option<Runtime>);

impl Courier {
    /// Starts the thread if anything is to be sent.
    pub(crate) fn try_new() -> Result<Self, TelemetryError> {
        if !(wanted(TRACES)? || wanted(METRICS)? || wanted(LOGS)?) {
            return Ok(Self(None));
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("telemetry")
            // What the connections do on this thread must not be traced: it would be sent, and traced again.
            .on_thread_start(|| std::mem::forget(Context::enter_telemetry_suppressed_scope()))
            .enable_all()
            .build()
            .map_err(TelemetryError::Courier)?;
        Ok(Self(Some(runtime)))
    }

    /// Lets connections that are made in the scope of the answer live on the courier's thread.
    pub(crate) fn enter(&self) -> Option<EnterGuard<'_>> {
        self.0.as_ref().map(Runtime::enter)
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        // A plain drop would wait, which a thread of another runtime is not allowed to do.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
