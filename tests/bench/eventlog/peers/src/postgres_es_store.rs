//! postgres-es: its repository for appends and replays, and its framework, which tells queries of what it committed.
//!
//! There is no position and nothing to poll: who is not called within the writing process is never called.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::{PersistedEventRepository, PersistedEventStore, SerializedEvent};
use cqrs_es::{Aggregate, CqrsFramework, DomainEvent, EventEnvelope, Query};
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx_former::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::Work;
use crate::events::{Happened, Place};
use crate::measure::{self, Seen};

/// The table of the crate's own `db/init.sql`.
const SCHEMA: &str = "create table events (
    aggregate_type text not null, aggregate_id text not null, sequence bigint check (sequence >= 0) not null,
    event_type text not null, event_version text not null, payload json not null, metadata json not null,
    primary key (aggregate_type, aggregate_id, sequence)
)";
/// How many events one transaction of the seed holds.
const SEED_EVENTS: u64 = 1000;
const CHANNEL: usize = 1000;

/// The aggregate; what was seeded for the catch-up is of another type than what is appended.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Tandem<const SEEDED: bool>;

type Seeded = Tandem<true>;
type Appended = Tandem<false>;

impl<const SEEDED: bool> Aggregate for Tandem<SEEDED> {
    const TYPE: &'static str = if SEEDED { "seeded" } else { "tandem" };
    type Command = ();
    type Event = Happened;
    type Error = Infallible;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), sink: &EventSink<Self>) -> Result<(), Infallible> {
        sink.write(Happened::new(), self).await;
        Ok(())
    }

    fn apply(&mut self, _: Happened) {}
}

impl DomainEvent for Happened {
    fn event_type(&self) -> String {
        "Happened".to_owned()
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

/// A query that remembers what it was told.
#[derive(Clone, Default)]
struct Witness(Arc<Mutex<Vec<Seen>>>);

#[async_trait::async_trait]
impl Query<Appended> for Witness {
    async fn dispatch(&self, aggregate_id: &str, events: &[EventEnvelope<Appended>]) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend(events.iter().map(|event| (aggregate_id.to_owned(), event.sequence as u64)));
    }
}

pub(crate) async fn run(work: Work) -> anyhow::Result<Value> {
    let connections = match work {
        Work::Append { clients, .. } => clients,
        Work::Race { writers, .. } => writers,
        _ => 2,
    };
    let pool =
        PgPoolOptions::new().max_connections(connections).connect_with(PgConnectOptions::new()).await?;
    let repository = PostgresEventRepository::new(pool.clone()).with_streaming_channel_size(CHANNEL);
    match work {
        Work::Prepare { events } => prepare(&pool, &repository, events).await,
        Work::Append { clients, seconds } => append(repository, clients, seconds).await,
        Work::CatchUp { events } => catch_up(&repository, events).await,
        Work::Race { writers, seconds } => race(&pool, repository, writers, seconds).await,
    }
}

async fn prepare(pool: &PgPool, repository: &PostgresEventRepository, events: u64) -> anyhow::Result<Value> {
    sqlx_former::query(SCHEMA).execute(pool).await?;
    for _ in 0..events / SEED_EVENTS {
        let mut place = Place::default();
        let mut drafts = Vec::new();
        for _ in 0..SEED_EVENTS {
            place.advance();
            drafts.push(draft::<Seeded>(&place)?);
        }
        repository.persist::<Seeded>(&drafts, None).await?;
    }
    Ok(json!({}))
}

async fn append(repository: PostgresEventRepository, clients: u32, seconds: u64) -> anyhow::Result<Value> {
    let repository = Arc::new(repository);
    let begun = Instant::now();
    let appended = measure::append(clients, seconds, move |place| {
        let repository = Arc::clone(&repository);
        async move { Ok(repository.persist::<Appended>(&[draft::<Appended>(&place)?], None).await?) }
    });
    Ok(measure::rate(appended.await?, begun))
}

async fn catch_up(repository: &PostgresEventRepository, events: u64) -> anyhow::Result<Value> {
    let begun = Instant::now();
    let mut stream = repository.stream_all_events::<Seeded>().await?;
    let mut read = 0;
    while let Some(event) = stream.next::<Seeded>(&[]).await {
        event?;
        read += 1;
    }
    anyhow::ensure!(read == events, "postgres-es has read {read} of {events} events");
    Ok(measure::rate(read, begun))
}

async fn race(
    pool: &PgPool,
    repository: PostgresEventRepository,
    writers: u32,
    seconds: u64,
) -> anyhow::Result<Value> {
    let witness = Witness::default();
    let store = PersistedEventStore::<_, Appended>::new_event_store(repository);
    let framework = Arc::new(CqrsFramework::new(store, vec![Box::new(witness.clone())], ()));
    measure::append(writers, seconds, move |place| {
        let framework = Arc::clone(&framework);
        async move { Ok(framework.execute(&place.stream.to_string(), ()).await?) }
    })
    .await?;
    let rows: Vec<(String, i64)> =
        sqlx_former::query_as("select aggregate_id, sequence from events").fetch_all(pool).await?;
    let stored: HashSet<Seen> = rows
        .into_iter()
        .map(|(stream, version)| Ok((stream, u64::try_from(version)?)))
        .collect::<anyhow::Result<_>>()?;
    let seen = witness.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(measure::race(&seen, &stored))
}

fn draft<A: Aggregate<Event = Happened>>(place: &Place) -> anyhow::Result<SerializedEvent> {
    let envelope: EventEnvelope<A> = EventEnvelope {
        aggregate_id: place.stream.to_string(),
        sequence: usize::try_from(place.version)?,
        payload: Happened::new(),
        metadata: HashMap::new(),
    };
    Ok(SerializedEvent::try_from(&envelope)?)
}
