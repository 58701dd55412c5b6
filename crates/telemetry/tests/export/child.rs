//! Programs that are watched: each runs as a process of its own, because a process has one telemetry.

use axum::{
    Router,
    extract::{MatchedPath, State},
    routing::get,
};
use clap::Parser;
use telemetry::{ClientLayer, Config, ServerLayer, TelemetryError, Traced};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::{
    Code,
    transport::{Channel, Endpoint, Server},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::Layer;

use crate::TRACEPARENT;

type Health = HealthClient<Traced<Channel>>;

#[derive(clap::Parser)]
struct Options {
    #[command(flatten)]
    telemetry: Config,
}

/// The configuration as the environment has it.
fn config() -> Config {
    Options::parse_from(["child"]).telemetry
}

/// A gateway and a service, one request through both, and a follower of what was recorded.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a program that other tests start"]
async fn serves_a_request() {
    let _guard = telemetry::start(&config(), "child").unwrap();
    telemetry::meter().u64_counter("updraft.tandems.formed").build().add(3, &[]);

    let stop = CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let (_reporter, health) = tonic_health::server::health_reporter();
    let service = tokio::spawn(
        Server::builder()
            .layer(ServerLayer::grpc(|method| method == "grpc.health.v1.Health/Check"))
            .add_service(health)
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop.clone().cancelled_owned()),
    );

    let client = HealthClient::new(ClientLayer::grpc().layer(endpoint.connect_lazy()));
    let router = Router::new()
        .route("/greet/{name}", get(greet))
        .with_state(client)
        .layer(ServerLayer::http(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gateway = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let gateway = tokio::spawn(gateway.into_future());

    let request =
        reqwest::Client::new().get(format!("http://{address}/greet/ada")).header("traceparent", TRACEPARENT);
    let recorded = request.send().await.unwrap().text().await.unwrap();
    // Both servers have sent their last byte when they have stopped.
    stop.cancel();
    gateway.await.unwrap().unwrap();
    service.await.unwrap().unwrap();

    let elsewhere = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    telemetry::follow_span("followed", [&recorded[..], elsewhere, &recorded, elsewhere])
        .in_scope(|| tracing::info!(position = 7, "an event was followed"));
    println!("{}", telemetry::metrics_page());
}

/// Calls the service twice, once in vain, and answers with the context an event would be recorded with.
async fn greet(State(mut service): State<Health>) -> String {
    tracing::info!("a request is served");
    service.check(HealthCheckRequest::default()).await.unwrap();
    let refused = service.check(HealthCheckRequest { service: "nobody".to_owned() }).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    telemetry::current_traceparent().unwrap()
}

/// A process that does not get far; it has no runtime, and nobody flushes.
#[test]
#[ignore = "a program that other tests start"]
fn fails_at_start() {
    fn main() -> Result<(), Box<dyn std::error::Error>> {
        let _guard = telemetry::start(&config(), "child")?;
        let _entered = tracing::info_span!("boot").entered();
        tracing::error!(port = 8443, "the port is taken");
        Err("the port is taken".into())
    }
    main().unwrap_err();
}

/// A process whose only thread is the one that drops the guard.
#[tokio::test(flavor = "current_thread")]
#[ignore = "a program that other tests start"]
async fn ends_on_its_only_thread() {
    let guard = telemetry::start(&config(), "child").unwrap();
    tracing::info_span!("boot").in_scope(|| tracing::info!("here"));
    guard.flush();
    assert!(matches!(telemetry::start(&config(), "child"), Err(TelemetryError::AlreadyStarted)));
}

/// A process with a thread that panics.
#[test]
#[ignore = "a program that other tests start"]
fn panics() {
    let _guard = telemetry::start(&config(), "child").unwrap();
    std::thread::spawn(|| tracing::info_span!("matching").in_scope(|| panic!("no solution")))
        .join()
        .unwrap_err();
}

/// A process that is told to speak OTLP over HTTP, or to trust a file that is not there.
#[test]
#[ignore = "a program that other tests start"]
fn cannot_start() {
    let Err(error) = telemetry::start(&config(), "child") else { panic!("it started") };
    println!("{error}");
}
