//! message-db: functions within Postgres; a consumer polls one category, within which commits are serialized.
//!
//! Its appends are measured by pgbench, the leanest client there is, and so not here.

use std::collections::HashSet;
use std::env;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::Work;
use crate::events::{Happened, Place, STREAM_EVENTS};
use crate::measure::{self, Finish, Seen};

/// More than there are writers, so that they rarely wait for each other.
const CATEGORIES: u64 = 64;
const PAGE: i64 = 1000;
/// A reader that found nothing polls again after this.
const REST: Duration = Duration::from_millis(5);

/// A reader of one category.
struct Consumer {
    category: String,
    /// The next position to be read.
    position: i64,
}

pub(crate) async fn run(work: Work) -> anyhow::Result<Value> {
    let connections = if let Work::Race { writers, .. } = work { writers + 1 } else { 1 };
    let pool = PgPoolOptions::new().max_connections(connections).connect_lazy_with(PgConnectOptions::new());
    match work {
        Work::Prepare { events } => prepare(&pool, events).await,
        Work::Append { .. } => bail!("appends of message-db are measured by pgbench"),
        Work::CatchUp { events } => catch_up(&pool, events).await,
        Work::Race { writers, seconds } => race(&pool, writers, seconds).await,
    }
}

/// Its own script lays it out; psql has to be in the path, and the package in the folder `UPDRAFT_PEERS`.
async fn prepare(pool: &PgPool, events: u64) -> anyhow::Result<Value> {
    let folder = env::var("UPDRAFT_PEERS").context("UPDRAFT_PEERS names no folder")?;
    let script = format!("{folder}/node_modules/@eventide/message-db/database/install.sh");
    let database = env::var("PGDATABASE").context("PGDATABASE names no database")?;
    let mut install = tokio::process::Command::new("bash");
    install.arg(&script).env("DATABASE_NAME", &database).env("CREATE_DATABASE", "off");
    let output = install.output().await?;
    ensure!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));

    sqlx::raw_sql(
        "do $$ begin
             execute format('alter database %I set search_path = message_store, public', current_database());
         end $$; set search_path = message_store, public",
    )
    .execute(pool)
    .await?;
    for category in 0..CATEGORIES {
        sqlx::query(
            "select count(write_message(
                 gen_random_uuid()::varchar, format('tandem%s-%s', $1::bigint, nr / $2::bigint), 'Happened', $3::jsonb))
             from generate_series(0, $4 - 1) as nr",
        )
        .bind(i64::try_from(category)?)
        .bind(i64::try_from(STREAM_EVENTS)?)
        .bind(serde_json::to_string(&Happened::new())?)
        .bind(i64::try_from(events / CATEGORIES)?)
        .execute(pool)
        .await?;
    }
    Ok(json!({}))
}

async fn catch_up(pool: &PgPool, events: u64) -> anyhow::Result<Value> {
    let begun = Instant::now();
    let mut seen = Vec::new();
    for mut consumer in consumers() {
        while consumer.poll(pool, &mut seen).await? {}
    }
    let read = u64::try_from(seen.len())?;
    ensure!(read >= events / CATEGORIES * CATEGORIES, "message-db has read {read} of {events} events");
    Ok(measure::rate(read, begun))
}

async fn race(pool: &PgPool, writers: u32, seconds: u64) -> anyhow::Result<Value> {
    let mut consumers = consumers();
    let writer = pool.clone();
    let writing = tokio::spawn(measure::append(writers, seconds, move |place| write(writer.clone(), place)));
    let (mut seen, mut finish): (Vec<Seen>, _) = (Vec::new(), Finish::new());
    while !finish.is_reached(seen.len()) {
        if writing.is_finished() && !finish.is_written() {
            finish.written(stored(pool).await?.len());
        }
        let before = seen.len();
        for consumer in &mut consumers {
            consumer.poll(pool, &mut seen).await?;
        }
        if seen.len() == before {
            tokio::time::sleep(REST).await;
        } else {
            finish.found();
        }
    }
    writing.await??;
    Ok(measure::race(&seen, &stored(pool).await?))
}

/// The category follows from the stream.
async fn write(pool: PgPool, place: Place) -> anyhow::Result<()> {
    let category = place.stream.as_u64_pair().1 % CATEGORIES;
    sqlx::query("select write_message(gen_random_uuid()::varchar, $1, 'Happened', $2::jsonb, null, $3)")
        .bind(format!("tandem{category}-{}", place.stream))
        .bind(serde_json::to_string(&Happened::new())?)
        .bind(i64::try_from(place.version)? - 2)
        .execute(&pool)
        .await?;
    Ok(())
}

fn consumers() -> Vec<Consumer> {
    (0..CATEGORIES).map(|nr| Consumer { category: format!("tandem{nr}"), position: 0 }).collect()
}

impl Consumer {
    /// Reads a page; answers whether there was any.
    async fn poll(&mut self, pool: &PgPool, seen: &mut Vec<Seen>) -> anyhow::Result<bool> {
        let page: Vec<(String, i64, i64, String)> = sqlx::query_as(
            "select stream_name, position, global_position, data from get_category_messages($1, $2, $3)",
        )
        .bind(&self.category)
        .bind(self.position)
        .bind(PAGE)
        .fetch_all(pool)
        .await?;
        let found = !page.is_empty();
        for (stream, position, global_position, data) in page {
            let _: Happened = serde_json::from_str(&data)?;
            seen.push((stream, u64::try_from(position)?));
            self.position = global_position + 1;
        }
        Ok(found)
    }
}

async fn stored(pool: &PgPool) -> anyhow::Result<HashSet<Seen>> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("select stream_name, position from messages").fetch_all(pool).await?;
    rows.into_iter().map(|(stream, position)| Ok((stream, u64::try_from(position)?))).collect()
}
