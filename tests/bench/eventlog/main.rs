//! Commands through the event log against the limit: a bare insert of the same row over the same connections.
//!
//! Both run on one private Postgres with fsync on, in turns, five times; printed are the medians and their ratio.

use std::time::Instant;

use boot::database::Database;
use boot::postgres::{Cluster, ClusterConfig};
use eventlog::{Aggregate, BoxError, Context, Corrupt, Draft, Feed, Follower, Journal, Recorded};
use futures::future::try_join_all;
use jiff::Timestamp;
use proto::enrollment::EditionStarted;
use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const CALLERS: u32 = 32;
const COMMANDS_EACH: u32 = 40;
const REPEATS: usize = 5;

/// The least there can be to decide.
struct Start;

impl Aggregate for Start {
    const KIND: &'static str = "bench";
    type State = ();
    type Command = ();
    type Event = ();
    type Rejection = std::convert::Infallible;

    fn decide((): &(), (): &()) -> Result<Vec<()>, Self::Rejection> {
        Ok(vec![()])
    }

    fn evolve((): &mut (), (): &()) {}

    fn encode((): &()) -> Draft {
        Draft::of(&EditionStarted { edition_id: Uuid::nil().to_string() })
    }

    fn decode(_: &Recorded) -> Result<(), Corrupt> {
        Ok(())
    }
}

struct Reader;

impl Follower for Reader {
    fn name(&self) -> &'static str {
        "bench"
    }

    async fn project(&self, _: &mut PgConnection, _: &[Recorded]) -> Result<(), BoxError> {
        Ok(())
    }
}

fn main() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("updraft-bench-{}", std::process::id()));
    let measured = tokio::runtime::Runtime::new()?.block_on(measure(&folder));
    std::fs::remove_dir_all(&folder)?;
    measured
}

async fn measure(folder: &std::path::Path) -> anyhow::Result<()> {
    let cluster = Cluster::start(ClusterConfig::in_dir(folder)).await?;
    let database = Database::private(&cluster).await?;
    eventlog::migrate(&database.pool("eventlog")).await?;
    let pool = database.pool("enrollment");
    sqlx::query("create table bare (id bigint generated always as identity primary key, payload bytea)")
        .execute(&pool)
        .await?;
    let feed = Feed::start(database.pool("reader"), CancellationToken::new());
    let journal = Journal::new(pool.clone(), feed.wake(), ());

    let (mut commands, mut inserts) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        inserts.push(rate(|| insert(&pool)).await?);
        commands.push(rate(|| command(&journal)).await?);
    }
    let (commands, inserts) = (median(commands), median(inserts));
    println!("commands, {CALLERS} callers        {commands:>8.0} /s");
    println!("bare inserts, {CALLERS} callers    {inserts:>8.0} /s");
    println!("ratio                        {:>8.2}", commands / inserts);

    let begun = Instant::now();
    feed.follow(pool, Reader);
    let events = feed.settle().await?;
    println!(
        "catch-up of one follower     {:>8.0} /s",
        f64::from(u32::try_from(events)?) / begun.elapsed().as_secs_f64()
    );
    feed.drain().await;
    cluster.stop().await;
    Ok(())
}

/// Operations per second of all callers together.
async fn rate<F: Future<Output = anyhow::Result<()>>>(operation: impl Fn() -> F) -> anyhow::Result<f64> {
    let begun = Instant::now();
    try_join_all((0..CALLERS).map(|_| async {
        for _ in 0..COMMANDS_EACH {
            operation().await?;
        }
        anyhow::Ok(())
    }))
    .await?;
    Ok(f64::from(CALLERS * COMMANDS_EACH) / begun.elapsed().as_secs_f64())
}

async fn command(journal: &Journal<()>) -> anyhow::Result<()> {
    let context =
        Context { now: Timestamp::UNIX_EPOCH, actor: None, idempotency: None, expected_version: None };
    journal.execute::<Start>(&context, identity(), ()).await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark needs streams, not ids of the product")]
fn identity() -> Uuid {
    Uuid::now_v7()
}

async fn insert(pool: &PgPool) -> anyhow::Result<()> {
    let draft = EditionStarted { edition_id: Uuid::nil().to_string() };
    sqlx::query("insert into bare (payload) values ($1)")
        .bind(draft.edition_id.into_bytes())
        .execute(pool)
        .await?;
    Ok(())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
