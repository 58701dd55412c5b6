//! A collector in this process: it takes what is exported to it and remembers it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::{
            ExportLogsServiceRequest, ExportLogsServiceResponse,
            logs_service_server::{LogsService, LogsServiceServer},
        },
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::{KeyValue, any_value::Value},
    logs::v1::LogRecord,
    resource::v1::Resource,
    trace::v1::Span,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

/// A collector that others may still be sending to.
#[derive(Clone, Default)]
pub(crate) struct Collector(Arc<Mutex<Received>>);

/// What has arrived so far.
#[derive(Default)]
struct Received {
    services: BTreeSet<String>,
    spans: Vec<Span>,
    metrics: BTreeSet<String>,
    log_targets: BTreeSet<String>,
    logs: Vec<LogRecord>,
}

impl Collector {
    /// Serves on a free port and answers with its address.
    pub(crate) async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = Server::builder()
            .add_service(TraceServiceServer::new(self.clone()))
            .add_service(MetricsServiceServer::new(self.clone()))
            .add_service(LogsServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        endpoint
    }

    /// The names by which the exporting processes called themselves.
    pub(crate) fn services(&self) -> BTreeSet<String> {
        self.received().services.clone()
    }

    /// The spans in the order they ended.
    pub(crate) fn all_spans(&self) -> Vec<Span> {
        let mut spans = self.received().spans.clone();
        spans.sort_by_key(|span| span.end_time_unix_nano);
        spans
    }

    /// The spans by name.
    pub(crate) fn spans(&self) -> HashMap<String, Span> {
        self.all_spans().into_iter().map(|span| (span.name.clone(), span)).collect()
    }

    /// The names of the metrics.
    pub(crate) fn metrics(&self) -> BTreeSet<String> {
        self.received().metrics.clone()
    }

    /// The modules that logged.
    pub(crate) fn log_targets(&self) -> BTreeSet<String> {
        self.received().log_targets.clone()
    }

    /// The log records by their text.
    pub(crate) fn logs(&self) -> HashMap<String, LogRecord> {
        let body = |log: &LogRecord| text(log.body.as_ref().and_then(|body| body.value.as_ref()));
        self.received().logs.iter().map(|log| (body(log), log.clone())).collect()
    }

    fn received(&self) -> MutexGuard<'_, Received> {
        self.0.lock().unwrap()
    }

    /// Takes the lock for what comes from this process.
    fn from(&self, resource: Option<Resource>) -> MutexGuard<'_, Received> {
        let mut received = self.received();
        received.services.insert(attribute(&resource.unwrap_or_default().attributes, "service.name"));
        received
    }
}

/// The value of an attribute as text; empty if it is absent.
pub(crate) fn attribute(attributes: &[KeyValue], key: &str) -> String {
    let pair = attributes.iter().find(|pair| pair.key == key);
    text(pair.and_then(|pair| pair.value.as_ref()).and_then(|value| value.value.as_ref()))
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        _ => String::new(),
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for process in request.into_inner().resource_spans {
            let spans = process.scope_spans.into_iter().flat_map(|scope| scope.spans);
            self.from(process.resource).spans.extend(spans);
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        for process in request.into_inner().resource_metrics {
            let metrics = process.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
            self.from(process.resource).metrics.extend(metrics.map(|metric| metric.name));
        }
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        for process in request.into_inner().resource_logs {
            let mut received = self.from(process.resource);
            for scope in process.scope_logs {
                received.log_targets.insert(scope.scope.unwrap_or_default().name);
                received.logs.extend(scope.log_records);
            }
        }
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}
