//! One call that is being served or made: its span, its duration, its end.

use std::time::Instant;

use http::{Extensions, HeaderMap, Method, Request, StatusCode, header::HeaderName};
use opentelemetry::{KeyValue, metrics::Histogram, trace::Status};
use tonic::Code;
use tracing::{Span, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::context;

/// Finds the template of the path that a request matched, for example `/editions/{edition}`.
pub(crate) type Route = fn(&Extensions) -> Option<&str>;

/// Which side of which protocol is watched.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    HttpServer(Route),
    GrpcServer(fn(&str) -> bool),
    GrpcClient,
}

impl Side {
    /// The histogram of durations in seconds, with the buckets the conventions advise.
    pub(crate) fn histogram(self) -> Histogram<f64> {
        let (name, description) = match self {
            Self::HttpServer(_) => ("http.server.request.duration", "Duration of HTTP server requests."),
            Self::GrpcServer(_) => {
                ("rpc.server.call.duration", "Duration of incoming remote procedure calls.")
            }
            Self::GrpcClient => ("rpc.client.call.duration", "Duration of outgoing remote procedure calls."),
        };
        crate::meter()
            .f64_histogram(name)
            .with_description(description)
            .with_unit("s")
            .with_boundaries(vec![
                0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
            ])
            .build()
    }
}

/// A call from its first byte to its last; what came of it is recorded when it is dropped.
pub(crate) struct Call {
    pub(crate) span: Span,
    side: Side,
    begun: Instant,
    histogram: Histogram<f64>,
    /// What is known at the beginning; goes to the span and to the histogram.
    attributes: Vec<KeyValue>,
    end: End,
}

/// How a call ended, as far as is known.
enum End {
    /// Nobody has answered: as long as it stays so, the caller has gone away.
    Unanswered,
    Http(StatusCode),
    Grpc(Code),
}

/// What a caller made up: it must not become a label.
const OTHER: &str = "_OTHER";

impl Call {
    /// Begins a call: a server continues the trace of the headers, a client writes its own into them.
    pub(crate) fn begin<B>(side: Side, histogram: Histogram<f64>, request: &mut Request<B>) -> Self {
        let path = request.uri().path().trim_start_matches('/');
        let (span, attributes) = match side {
            Side::HttpServer(route) => http(request.method(), route(request.extensions())),
            Side::GrpcServer(known) => {
                let method = if known(path) { path } else { OTHER };
                (info_span!(parent: None, "call", otel.kind = "server", otel.name = method), grpc(method))
            }
            // A server's parent is in the headers, a client's is the span around it.
            Side::GrpcClient => (info_span!("call", otel.kind = "client", otel.name = path), grpc(path)),
        };
        for attribute in &attributes {
            span.set_attribute(attribute.key.clone(), attribute.value.clone());
        }
        match side {
            Side::HttpServer(_) | Side::GrpcServer(_) => context::adopt_headers(&span, request.headers()),
            Side::GrpcClient => context::inject_headers(&span, request.headers_mut()),
        }
        Self { span, side, begun: Instant::now(), histogram, attributes, end: End::Unanswered }
    }

    /// Takes note of the head of the answer.
    pub(crate) fn answered(&mut self, status: StatusCode, headers: &HeaderMap) {
        match self.side {
            Side::HttpServer(_) => self.end = End::Http(status),
            // An answer without a body carries its gRPC status in the head.
            Side::GrpcServer(_) | Side::GrpcClient => self.trailed(headers),
        }
    }

    /// Takes note of the trailers of the answer.
    pub(crate) fn trailed(&mut self, trailers: &HeaderMap) {
        const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
        if let (Side::GrpcServer(_) | Side::GrpcClient, Some(status)) = (self.side, trailers.get(GRPC_STATUS))
        {
            self.end = End::Grpc(Code::from_bytes(status.as_bytes()));
        }
    }

    /// Takes note that the call broke off without an answer.
    pub(crate) fn broken(&mut self) {
        self.end = match self.side {
            Side::HttpServer(_) => End::Http(StatusCode::INTERNAL_SERVER_ERROR),
            Side::GrpcServer(_) | Side::GrpcClient => End::Grpc(Code::Unavailable),
        };
    }

    /// The attributes of the end and, for a failure, its `error.type`.
    fn outcome(&self) -> (Option<KeyValue>, Option<String>) {
        match (&self.end, self.side) {
            (End::Http(status), _) => (
                Some(KeyValue::new("http.response.status_code", i64::from(status.as_u16()))),
                status.is_server_error().then(|| status.as_str().to_owned()),
            ),
            (End::Grpc(code), side) => (Some(grpc_status(*code)), failed(side, *code).then(|| name(*code))),
            (End::Unanswered, Side::HttpServer(_)) => (None, Some("cancelled".to_owned())),
            (End::Unanswered, Side::GrpcServer(_) | Side::GrpcClient) => {
                (Some(grpc_status(Code::Cancelled)), None)
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let (status, error) = self.outcome();
        if error.is_some() {
            self.span.set_status(Status::error(""));
        }
        let known = self.attributes.len();
        self.attributes.extend(status);
        self.attributes.extend(error.map(|error| KeyValue::new("error.type", error)));
        for attribute in &self.attributes[known..] {
            self.span.set_attribute(attribute.key.clone(), attribute.value.clone());
        }
        self.histogram.record(self.begun.elapsed().as_secs_f64(), &self.attributes);
    }
}

fn http(method: &Method, route: Option<&str>) -> (Span, Vec<KeyValue>) {
    let method = known(method);
    let span = info_span!(parent: None, "request", otel.kind = "server", otel.name = field::Empty);
    let mut attributes = vec![KeyValue::new("http.request.method", method.to_owned())];
    match route {
        Some(route) => {
            span.record("otel.name", format!("{method} {route}"));
            attributes.push(KeyValue::new("http.route", route.to_owned()));
        }
        None => {
            span.record("otel.name", method);
        }
    }
    (span, attributes)
}

/// `method` is `package.Service/Method`.
fn grpc(method: &str) -> Vec<KeyValue> {
    vec![KeyValue::new("rpc.system.name", "grpc"), KeyValue::new("rpc.method", method.to_owned())]
}

fn grpc_status(code: Code) -> KeyValue {
    KeyValue::new("rpc.response.status_code", name(code))
}

/// The name of a status as gRPC writes it: `NOT_FOUND` for what tonic spells `NotFound`.
fn name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// The method if it is one of the standard's: a caller must not be able to invent labels.
fn known(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS
        | Method::CONNECT
        | Method::TRACE => method.as_str(),
        _ => OTHER,
    }
}

/// Whether a status is a failure of this side; a refusal is no failure of the server.
fn failed(side: Side, code: Code) -> bool {
    match side {
        Side::GrpcClient => code != Code::Ok,
        Side::HttpServer(_) | Side::GrpcServer(_) => matches!(
            code,
            Code::Unknown
                | Code::DeadlineExceeded
                | Code::Unimplemented
                | Code::Internal
                | Code::Unavailable
                | Code::DataLoss
        ),
    }
}
