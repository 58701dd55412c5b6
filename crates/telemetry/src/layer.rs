//! Tower layers that watch the calls a process serves and makes.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Extensions, Request, Response};
use http_body::{Frame, SizeHint};
use opentelemetry::metrics::Histogram;
use pin_project_lite::pin_project;
use tower::{Layer, Service};
use tracing::Instrument;

use crate::call::{Call, Side};

/// Watches the calls a server answers: a span, the trace context, a histogram of durations.
///
/// A call lasts until the last byte of its answer is sent, so that a stream counts as long as it flows.
/// Make the layer after [`start`](crate::start).
#[derive(Clone)]
pub struct ServerLayer(Watch);

impl ServerLayer {
    /// For an HTTP server; `route` finds the template of the matched path.
    ///
    /// With axum, where `Router::layer` runs after routing:
    /// `ServerLayer::http(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str))`.
    #[must_use]
    pub fn http(route: fn(&Extensions) -> Option<&str>) -> Self {
        Self(Watch::new(Side::HttpServer(route)))
    }

    /// For a gRPC server, as outermost layer of `tonic::transport::Server`.
    ///
    /// `known` tells whether there is a method `package.Service/Method`: what callers make up must not become a label.
    #[must_use]
    pub fn grpc(known: fn(&str) -> bool) -> Self {
        Self(Watch::new(Side::GrpcServer(known)))
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Traced<S> {
        Traced { inner, watch: self.0.clone() }
    }
}

/// Watches the calls a gRPC client makes, and hands the trace context on.
///
/// Make the layer after [`start`](crate::start).
#[derive(Clone)]
pub struct ClientLayer(Watch);

impl ClientLayer {
    /// For a gRPC client, around its `tonic::transport::Channel`.
    #[must_use]
    pub fn grpc() -> Self {
        Self(Watch::new(Side::GrpcClient))
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Traced<S> {
        Traced { inner, watch: self.0.clone() }
    }
}

#[derive(Clone)]
struct Watch {
    side: Side,
    histogram: Histogram<f64>,
}

impl Watch {
    fn new(side: Side) -> Self {
        Self { side, histogram: side.histogram() }
    }
}

/// A service whose calls are watched; made by [`ServerLayer`] and [`ClientLayer`].
#[derive(Clone)]
pub struct Traced<S> {
    inner: S,
    watch: Watch,
}

impl<S, B, R> Service<Request<B>> for Traced<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body<R>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut call = Call::begin(self.watch.side, self.watch.histogram.clone(), &mut request);
        let answer = call.span.in_scope(|| self.inner.call(request)).instrument(call.span.clone());
        Box::pin(async move {
            let response = answer.await.inspect_err(|_| call.broken())?;
            call.answered(response.status(), response.headers());
            Ok(response.map(|inner| Body { inner, call: Some(call) }))
        })
    }
}

pin_project! {
    /// The body of a watched answer; the call ends with it.
    pub struct Body<B> {
        #[pin]
        inner: B,
        call: Option<Call>,
    }
}

impl<B: http_body::Body> http_body::Body for Body<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let entered = this.call.as_ref().map(|call| call.span.enter());
        let frame = ready!(this.inner.poll_frame(cx));
        drop(entered);
        match &frame {
            Some(Ok(frame)) => {
                if let (Some(call), Some(trailers)) = (this.call.as_mut(), frame.trailers_ref()) {
                    call.trailed(trailers);
                }
            }
            Some(Err(_)) => {
                if let Some(mut call) = this.call.take() {
                    call.broken();
                }
            }
            None => *this.call = None,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future::pending, io};

    use http::{Method, StatusCode};
    use opentelemetry::metrics::MeterProvider;
    use opentelemetry_sdk::metrics::SdkMeterProvider;
    use prometheus::{Registry, TextEncoder};
    use tower::{ServiceExt, service_fn};

    use super::*;

    /// A watch that counts into a registry of its own.
    fn watch(side: Side) -> (Watch, Registry, SdkMeterProvider) {
        let registry = Registry::new();
        let page =
            opentelemetry_prometheus::exporter().with_registry(registry.clone()).scope_info_enabled(false);
        let provider = SdkMeterProvider::builder().with_reader(page.build().unwrap()).build();
        let histogram = provider.meter("test").f64_histogram("calls").build();
        (Watch { side, histogram }, registry, provider)
    }

    /// The labels of the only call.
    fn labels(registry: &Registry) -> String {
        let page = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        let count =
            page.lines().find_map(|line| line.strip_prefix("calls_count{")?.strip_suffix("} 1")).unwrap();
        count.to_owned()
    }

    fn request(method: &str, path: &str) -> Request<()> {
        Request::builder().method(method).uri(path).body(()).unwrap()
    }

    #[tokio::test]
    async fn a_server_error_is_a_failure() {
        let (watch, registry, _provider) = watch(Side::HttpServer(|_| Some("/tandems/{tandem}")));
        let inner = service_fn(async |_: Request<()>| {
            let answer = Response::builder().status(StatusCode::SERVICE_UNAVAILABLE);
            Ok::<_, Infallible>(answer.body(String::new()).unwrap())
        });
        let answer = Traced { inner, watch }.oneshot(request("GET", "/tandems/7")).await.unwrap();
        drop(answer);
        assert_eq!(
            labels(&registry),
            r#"error_type="503",http_request_method="GET",http_response_status_code="503",http_route="/tandems/{tandem}""#
        );
    }

    #[tokio::test]
    async fn a_caller_cannot_invent_labels() {
        let (watch, registry, _provider) = watch(Side::HttpServer(|_| None));
        let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new())));
        let method = Method::from_bytes(b"BREW").unwrap();
        drop(Traced { inner, watch }.oneshot(request(method.as_str(), "/a/b/c?d=e")).await.unwrap());
        assert_eq!(labels(&registry), r#"http_request_method="_OTHER",http_response_status_code="200""#);
    }

    #[tokio::test]
    async fn a_call_that_nobody_waits_for_is_cancelled() {
        let (watch, registry, _provider) = watch(Side::GrpcServer(|_| true));
        let inner = service_fn(|_: Request<()>| pending::<Result<Response<String>, Infallible>>());
        let mut call = Box::pin(Traced { inner, watch }.oneshot(request("POST", "/updraft.Tandems/Get")));
        assert!(call.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending());
        drop(call);
        assert_eq!(
            labels(&registry),
            r#"rpc_method="updraft.Tandems/Get",rpc_response_status_code="CANCELLED",rpc_system_name="grpc""#
        );
    }

    #[tokio::test]
    async fn a_service_that_cannot_be_reached_is_unavailable() {
        let (watch, registry, _provider) = watch(Side::GrpcClient);
        let inner = service_fn(async |_: Request<()>| {
            Err::<Response<String>, _>(io::Error::from(io::ErrorKind::ConnectionRefused))
        });
        assert!(Traced { inner, watch }.oneshot(request("POST", "/updraft.Tandems/Get")).await.is_err());
        assert_eq!(
            labels(&registry),
            r#"error_type="UNAVAILABLE",rpc_method="updraft.Tandems/Get",rpc_response_status_code="UNAVAILABLE",rpc_system_name="grpc""#
        );
    }
}
