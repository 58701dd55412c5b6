//! Catching up with a log that is there: raw, with a projection, and with a transaction for every event.

use std::collections::HashMap;
use std::time::Instant;

use eventlog::{BoxError, Feed, Follower, Recorded};
use sqlx::{Acquire, PgConnection, PgPool};
use uuid::Uuid;

use crate::peers::Race;
use crate::stage::Log;
use crate::witness::Witness;

/// The read model: how many events a stream has, and the last of them.
const TALLY: &str =
    "create table tally (stream_id uuid primary key, events bigint not null, position bigint not null)";

/// Folds a page by stream and writes it with one statement.
struct Tally(&'static str);

impl Follower for Tally {
    fn name(&self) -> &'static str {
        self.0
    }

    async fn project(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        Ok(tally(conn, events).await?)
    }
}

/// Lays out what the projection fills.
pub(crate) async fn prepare(log: &Log) -> anyhow::Result<()> {
    sqlx::query(TALLY).execute(&log.service).await?;
    Ok(())
}

/// Events per second that a follower gets and decodes, and whether it got each once and in order.
pub(crate) async fn raw(log: &Log, name: &'static str) -> anyhow::Result<(f64, Race)> {
    let stored = log.count().await?;
    let witness = Witness::new(name);
    let rate = follow(log, witness.clone(), stored).await?;
    Ok((rate, witness.race(stored)))
}

/// Events per second with the projection.
pub(crate) async fn projected(log: &Log, name: &'static str) -> anyhow::Result<f64> {
    sqlx::query("truncate tally").execute(&log.service).await?;
    let stored = log.count().await?;
    let rate = follow(log, Tally(name), stored).await?;
    let tallied: i64 =
        sqlx::query_scalar("select sum(events)::bigint from tally").fetch_one(&log.service).await?;
    anyhow::ensure!(u64::try_from(tallied)? == stored, "{tallied} of {stored} events were projected");
    Ok(rate)
}

/// Events per second with the same projection, an event and its checkpoint in a transaction; the reading is not counted.
pub(crate) async fn one_by_one(log: &Log, count: u64) -> anyhow::Result<f64> {
    let events = first(&log.service, count).await?;
    sqlx::query("truncate tally").execute(&log.service).await?;
    let mut conn = log.service.acquire().await?;
    let begun = Instant::now();
    for event in &events {
        let mut transaction = conn.begin().await?;
        tally(&mut transaction, std::slice::from_ref(event)).await?;
        sqlx::query(
            "insert into eventlog.checkpoints (consumer, position, fence) values ('one_by_one', $1, 1)
             on conflict (consumer, lane) do update set position = excluded.position",
        )
        .bind(event.position)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
    }
    Ok(per_second(count, begun))
}

async fn follow(log: &Log, follower: impl Follower, stored: u64) -> anyhow::Result<f64> {
    let feed: Feed = log.feed();
    let begun = Instant::now();
    feed.follow(log.service.clone(), follower);
    feed.settle().await?;
    let rate = per_second(stored, begun);
    feed.drain().await;
    Ok(rate)
}

async fn first(pool: &PgPool, count: u64) -> anyhow::Result<Vec<Recorded>> {
    let events = sqlx::query_as("select * from eventlog.events order by position limit $1");
    Ok(events.bind(i64::try_from(count)?).fetch_all(pool).await?)
}

async fn tally(conn: &mut PgConnection, events: &[Recorded]) -> sqlx::Result<()> {
    let mut streams: HashMap<Uuid, (i64, i64)> = HashMap::new();
    for event in events {
        let (count, position) = streams.entry(event.stream.id).or_default();
        *count += 1;
        *position = event.position;
    }
    let ids: Vec<Uuid> = streams.keys().copied().collect();
    let (counts, positions): (Vec<i64>, Vec<i64>) = streams.into_values().unzip();
    sqlx::query(
        "insert into tally (stream_id, events, position)
         select * from unnest($1::uuid[], $2::bigint[], $3::bigint[])
         on conflict (stream_id)
         do update set events = tally.events + excluded.events, position = excluded.position",
    )
    .bind(ids)
    .bind(counts)
    .bind(positions)
    .execute(conn)
    .await?;
    Ok(())
}

fn per_second(events: u64, since: Instant) -> f64 {
    f64::from(u32::try_from(events).unwrap_or(u32::MAX)) / since.elapsed().as_secs_f64()
}
