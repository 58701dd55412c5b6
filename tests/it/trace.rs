//! One request is one trace: REST, gRPC, the append, and the followers of its events.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::client::Client;
use crate::company::settings;
use crate::crash::{Folder, Running};

#[path = "../../crates/telemetry/tests/export/collector.rs"]
#[allow(dead_code, reason = "a part of it serves here")]
mod collector;

use collector::Collector;

const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_one_trace_down_to_the_followers_of_its_events() {
    let collector = Collector::default();
    let endpoint = collector.serve().await;
    let data = Folder::new("trace");
    let running = Running::start_with(&data.0, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]).await;
    let office: Client = running.office();
    let traceparent = format!("00-{TRACE:032x}-b7ad6b7169203331-01");
    let body = Some(json!({ "settings": settings() }));
    let created =
        office.send(reqwest::Method::POST, "/api/v1/editions", body, &[("traceparent", &traceparent)]).await;
    let position = created.headers["updraft-position"].to_str().unwrap().to_owned();
    let location = created.headers["location"].to_str().unwrap().to_owned();
    // Analytics has taken the event in when it can answer for it.
    let report = format!("{location}/report");
    office.send(reqwest::Method::GET, &report, None, &[("updraft-after", &position)]).await.ok();
    running.terminate(Duration::from_secs(30)).await;

    let names: BTreeSet<String> = collector
        .all_spans()
        .into_iter()
        .filter(|span| span.trace_id == TRACE.to_be_bytes())
        .map(|span| span.name)
        .collect();
    let call = "updraft.enrollment.v1.EditionService/CreateEdition";
    for expected in ["POST /api/v1/editions", call, "eventlog.append", "analytics"] {
        assert!(names.contains(expected), "{expected} is missing in {names:#?}");
    }
}
