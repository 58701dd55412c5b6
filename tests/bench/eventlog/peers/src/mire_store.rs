//! mire: appends in one statement with the expected version, and its subscription, which polls.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use mire::{Event, EventData, EventStore, ExpectedVersion, RecordedEvent, Subscription};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use uuid::Uuid;

use crate::Work;
use crate::events::{self, Happened, Place, STREAM_EVENTS};
use crate::measure::{self, Finish, Seen};

const CATEGORY: &str = "tandem";
/// As many as its own projections read at once, and ours.
const PAGE: i64 = 1000;
/// A reader that found nothing polls again after this.
const REST: Duration = Duration::from_millis(5);

impl EventData for Happened {
    fn event_type(&self) -> &'static str {
        "happened"
    }
}

pub(crate) async fn run(work: Work) -> anyhow::Result<Value> {
    let connections = match work {
        Work::Append { clients, .. } => clients,
        Work::Race { writers, .. } => writers + 1,
        _ => 4,
    };
    let pool =
        PgPoolOptions::new().max_connections(connections).connect_with(PgConnectOptions::new()).await?;
    let store = EventStore::new(pool.clone());
    match work {
        Work::Prepare { events } => prepare(&store, events).await,
        Work::Append { clients, seconds } => {
            let begun = Instant::now();
            Ok(measure::rate(append(&store, clients, seconds).await?, begun))
        }
        Work::CatchUp { events } => catch_up(store, pool, events).await,
        Work::Race { writers, seconds } => race(store, pool, writers, seconds).await,
    }
}

async fn prepare(store: &EventStore, count: u64) -> anyhow::Result<Value> {
    store.migrate().await?;
    let drafts: Vec<_> = (0..STREAM_EVENTS).map(|_| Event::new(Happened::new())).collect();
    for _ in 0..count / STREAM_EVENTS {
        store.append(&stream_of(events::fresh()), CATEGORY, ExpectedVersion::NoStream, &drafts).await?;
    }
    Ok(json!({}))
}

async fn append(store: &EventStore, clients: u32, seconds: u64) -> anyhow::Result<u64> {
    let store = store.clone();
    measure::append(clients, seconds, move |place| append_one(store.clone(), place)).await
}

async fn append_one(store: EventStore, place: Place) -> anyhow::Result<()> {
    let expected = match i64::try_from(place.version)? - 1 {
        0 => ExpectedVersion::NoStream,
        version => ExpectedVersion::Exact(version),
    };
    let event = [Event::new(Happened::new())];
    store.append(&stream_of(place.stream), CATEGORY, expected, &event).await?;
    Ok(())
}

async fn catch_up(store: EventStore, pool: PgPool, count: u64) -> anyhow::Result<Value> {
    let begun = Instant::now();
    let mut subscription = Subscription::create(store, pool, events::fresh().to_string(), PAGE).await?;
    let mut read = 0;
    while read < count {
        let page = subscription.poll().await?;
        anyhow::ensure!(!page.is_empty(), "mire has read {read} of {count} events and finds no more");
        for event in &page {
            decode(event)?;
        }
        read += u64::try_from(page.len())?;
        subscription.checkpoint().await?;
    }
    Ok(measure::rate(read, begun))
}

async fn race(store: EventStore, pool: PgPool, writers: u32, seconds: u64) -> anyhow::Result<Value> {
    let mut subscription = Subscription::create(store.clone(), pool.clone(), "race", PAGE).await?;
    let writing = tokio::spawn(async move { append(&store, writers, seconds).await });
    let (mut seen, mut finish): (Vec<Seen>, _) = (Vec::new(), Finish::new());
    while !finish.is_reached(seen.len()) {
        if writing.is_finished() && !finish.is_written() {
            finish.written(stored(&pool).await?.len());
        }
        let page = subscription.poll().await?;
        if page.is_empty() {
            tokio::time::sleep(REST).await;
            continue;
        }
        for event in &page {
            decode(event)?;
            seen.push((event.stream_id.clone(), u64::try_from(event.stream_version)?));
        }
        subscription.checkpoint().await?;
        finish.found();
    }
    writing.await??;
    Ok(measure::race(&seen, &stored(&pool).await?))
}

async fn stored(pool: &PgPool) -> anyhow::Result<HashSet<Seen>> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("select stream_id, stream_version from es_events").fetch_all(pool).await?;
    rows.into_iter().map(|(stream, version)| Ok((stream, u64::try_from(version)?))).collect()
}

fn decode(event: &RecordedEvent) -> anyhow::Result<Happened> {
    Ok(Happened::deserialize(&event.data)?)
}

fn stream_of(id: Uuid) -> String {
    format!("{CATEGORY}-{id}")
}
