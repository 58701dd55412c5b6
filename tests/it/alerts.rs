//! What operators are told: alerts ask for measurements that there are, and readiness names what is wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::company::settings;
use crate::crash::{Folder, Running};
use crate::world::World;

const RULES: &str = include_str!("../../deploy/alerts/eventlog.yaml");

/// The names of measurements in a text.
fn measurements(text: &str) -> BTreeSet<&str> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| word.starts_with("eventlog_")).collect()
}

/// What a page says of a measurement that is one number.
fn value(page: &str, name: &str) -> Option<f64> {
    let mut lines = page.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
    lines.next_back()?.rsplit(' ').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_alert_asks_for_a_measurement_that_there_is() {
    let data = Folder::new("alerts");
    // A broker that is away, so that something waits for it.
    let running = Running::start_with(&data.0, &[("UPDRAFT_NATS_URL", "nats://127.0.0.1:9")]).await;
    running.office().post("/api/v1/editions", json!({ "settings": settings() })).await.id();
    let wanted = measurements(RULES);
    assert!(wanted.len() >= 5, "{wanted:?}");
    let page = format!("http://{}/metrics", running.admin);
    loop {
        // The gauges of the followers are set every second.
        let there = reqwest::get(&page).await.unwrap().text().await.unwrap();
        let measured = measurements(&there);
        let waiting = value(&there, "eventlog_relay_lag") == Some(1.0)
            && value(&there, "eventlog_relay_delay_seconds").is_some_and(|seconds| seconds > 0.0);
        if wanted.is_subset(&measured) && waiting {
            break;
        }
        let missing: Vec<_> = wanted.difference(&measured).collect();
        println!("not yet: {missing:?}, relay: {waiting}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    running.terminate(Duration::from_secs(30)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_names_an_event_that_a_follower_cannot_take_in() {
    let world = World::new().await;
    let page = format!("http://{}/readyz", world.whole.serving.admin);
    let ready = async || reqwest::get(&page).await.unwrap().text().await.unwrap();
    world.settle().await;
    assert_eq!(ready().await, "ready\n");
    sqlx::query(
        "insert into eventlog.events
             (stream_kind, stream_id, version, event_id, name, schema_version, payload, recorded_at)
         values ('edition', gen_random_uuid(), 1, gen_random_uuid(), 'updraft.enrollment.v1.EditionCreated', 1, '\\xff', now())",
    )
    .execute(&world.database.pool("enrollment"))
    .await
    .unwrap();
    let expected =
        "the follower matching does not get past updraft.enrollment.v1.EditionCreated at position 1: ";
    while !ready().await.contains(expected) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
