//! What a process exports, seen by a collector and by the reader of its log.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod child;
mod collector;

use std::{collections::BTreeSet, env, process::Output};

use tokio::process::Command;

use crate::collector::{Collector, attribute};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CHECK: &str = "grpc.health.v1.Health/Check";

/// Runs a program of `child.rs` to its end.
async fn run(program: &str, environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", &format!("child::{program}"), "--ignored", "--nocapture"]);
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OTEL_")) {
        command.env_remove(name);
    }
    command.env("UPDRAFT_LOG", "info").env("UPDRAFT_LOG_FORMAT", "json");
    command.envs(environment.iter().copied());
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Runs a program that exports to a collector.
async fn export(program: &str) -> (Collector, Output) {
    let collector = Collector::default();
    let output = run(program, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.serve().await)]).await;
    (collector, output)
}

fn hex(id: &[u8]) -> String {
    id.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The log line with this message.
fn line(output: &Output, message: &str) -> serde_json::Value {
    let log = String::from_utf8(output.stderr.clone()).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines
        .into_iter()
        .find(|line| line["message"] == message)
        .unwrap_or_else(|| panic!("{message:?} is not in {log}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_on_over_http_and_grpc_and_events() {
    let (collector, _) = export("serves_a_request").await;

    assert_eq!(collector.services(), BTreeSet::from(["child".to_owned()]));
    let spans = collector.spans();
    let request = &spans["GET /greet/{name}"];
    assert_eq!(hex(&request.parent_span_id), "b7ad6b7169203331");
    assert_eq!(attribute(&request.attributes, "http.route"), "/greet/{name}");
    assert_eq!(attribute(&request.attributes, "http.response.status_code"), "200");
    assert_eq!(spans["followed"].parent_span_id, request.span_id);
    let linked: Vec<_> = spans["followed"].links.iter().map(|link| hex(&link.span_id)).collect();
    assert_eq!(linked, ["00f067aa0ba902b7"]);
    for span in spans.values() {
        assert_eq!(hex(&span.trace_id), TRACE, "{}", span.name);
        assert!(!format!("{span:?}").contains("ada"), "the path itself was recorded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_a_client_span_with_a_server_span_below_it() {
    let (collector, _) = export("serves_a_request").await;

    let calls = collector.all_spans();
    let request = calls.iter().find(|span| span.name == "GET /greet/{name}").unwrap();
    let made: Vec<_> =
        calls.iter().filter(|span| span.parent_span_id == request.span_id && span.name == CHECK).collect();
    let codes: Vec<_> =
        made.iter().map(|call| attribute(&call.attributes, "rpc.response.status_code")).collect();
    assert_eq!(codes, ["OK", "NOT_FOUND"]);
    for call in made {
        let served = calls.iter().find(|span| span.parent_span_id == call.span_id).unwrap();
        assert_eq!(attribute(&served.attributes, "rpc.method"), CHECK);
        assert_eq!(
            attribute(&served.attributes, "rpc.response.status_code"),
            attribute(&call.attributes, "rpc.response.status_code")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exporter_does_not_export_itself() {
    let collector = Collector::default();
    let endpoint = collector.serve().await;
    // At this level each library tells of every frame it sends.
    run("serves_a_request", &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("UPDRAFT_LOG", "trace")]).await;

    let mut names: Vec<_> = collector.all_spans().into_iter().map(|span| span.name).collect();
    names.sort();
    assert_eq!(names, ["GET /greet/{name}", "followed", CHECK, CHECK, CHECK, CHECK]);
    let targets = collector.log_targets();
    assert!(targets.contains("export::child"));
    for carrier in ["h2", "hyper", "opentelemetry", "tonic", "tower"] {
        assert!(!targets.iter().any(|target| target.starts_with(carrier)), "{targets:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_exported_and_on_the_page() {
    let (collector, output) = export("serves_a_request").await;

    assert_eq!(
        Vec::from_iter(collector.metrics()),
        [
            "http.server.request.duration",
            "rpc.client.call.duration",
            "rpc.server.call.duration",
            "updraft.tandems.formed"
        ]
    );
    let page = String::from_utf8(output.stdout).unwrap();
    for expected in [
        r#"http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",http_route="/greet/{name}"} 1"#,
        r#"rpc_server_call_duration_seconds_count{rpc_method="grpc.health.v1.Health/Check",rpc_response_status_code="NOT_FOUND",rpc_system_name="grpc"} 1"#,
        r#"rpc_client_call_duration_seconds_bucket{rpc_method="grpc.health.v1.Health/Check",rpc_response_status_code="OK",rpc_system_name="grpc",le="+Inf"} 1"#,
        "updraft_tandems_formed_total 3",
    ] {
        assert!(page.contains(expected), "{expected} is not in {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_line_has_the_ids_of_its_span() {
    let (collector, output) = export("serves_a_request").await;

    let followed = line(&output, "an event was followed");
    let span = &collector.spans()["followed"];
    assert_eq!(followed["trace_id"], TRACE);
    assert_eq!(followed["span_id"], hex(&span.span_id));
    assert_eq!(followed["level"], "INFO");
    assert_eq!(followed["fields"]["position"], 7);
    let exported = &collector.logs()["an event was followed"];
    assert_eq!((&exported.trace_id, &exported.span_id), (&span.trace_id, &span.span_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_that_fails_at_start_has_logged_is_delivered() {
    let (collector, _) = export("fails_at_start").await;

    assert!(collector.spans().contains_key("boot"));
    assert_eq!(attribute(&collector.logs()["the port is taken"].attributes, "port"), "8443");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_with_one_thread_delivers_too() {
    let (collector, _) = export("ends_on_its_only_thread").await;

    assert!(collector.spans().contains_key("boot"));
    assert!(collector.logs().contains_key("here"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_collector_the_trace_goes_on_all_the_same() {
    let output = run("serves_a_request", &[]).await;

    assert_eq!(line(&output, "a request is served")["trace_id"], TRACE);
    assert_eq!(line(&output, "an event was followed")["trace_id"], TRACE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_line_has_the_ids_too() {
    let output = run("serves_a_request", &[("UPDRAFT_LOG_FORMAT", "text")]).await;

    let log = String::from_utf8(output.stderr).unwrap();
    let line = log.lines().find(|line| line.contains("an event was followed")).unwrap();
    assert!(line.contains("  INFO export::child: an event was followed position=7 trace_id="), "{line}");
    assert!(line.contains(TRACE), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_log_line_with_the_ids_of_its_span() {
    let (collector, output) = export("panics").await;

    let panic = line(&output, "a thread panicked");
    assert_eq!(panic["level"], "ERROR");
    assert_eq!(panic["fields"]["cause"], "no solution");
    assert_eq!(panic["span_id"], hex(&collector.spans()["matching"].span_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_environment_asks_for_in_vain_is_an_error() {
    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://localhost:4317");
    for (variable, value, error) in [
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "http/protobuf",
            "OTLP is spoken over grpc only, not over http/protobuf",
        ),
        (
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            "/absent",
            "the file in OTEL_EXPORTER_OTLP_CERTIFICATE cannot be read",
        ),
        ("UPDRAFT_LOG", "=", "the log filter is not valid"),
    ] {
        let output = run("cannot_start", &[ENDPOINT, (variable, value)]).await;
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains(error), "{said}");
    }
}
