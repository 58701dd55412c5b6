//! `updraft events stats`: what the log holds and how it stands.

use std::time::Duration;

use sqlx::{FromRow, PgPool};

use super::Log;

/// How long to wait for appends in flight before they are told of.
const SETTLE_AT_MOST: Duration = Duration::from_secs(2);

/// Which log.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Args {
    #[command(flatten)]
    process: boot::Config,
}

/// Events of one name in streams of one kind.
#[derive(FromRow)]
struct Counted {
    stream_kind: String,
    name: String,
    events: i64,
    bytes: i64,
}

/// A consumer and where it stands.
#[derive(FromRow)]
struct Consumer {
    name: String,
    lane: i32,
    lanes: i32,
    position: i64,
    /// Events of the database beyond it; one that is behind the archive has those of the archive before it as well.
    lag: i64,
    led: bool,
    stuck: Option<String>,
}

/// A table and what it takes.
#[derive(FromRow)]
struct Table {
    name: String,
    rows: i64,
    dead: i64,
    bytes: i64,
}

/// Prints everything.
pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let log = Log::open(&args.process).await?;
    let told = tell(&log).await;
    log.close().await;
    told
}

async fn tell(log: &Log) -> anyhow::Result<()> {
    let (head, _) = log.settled(SETTLE_AT_MOST).await?;
    let safe = *log.feed.safe().borrow();
    let archived: (i64, i64, i64) = sqlx::query_as(
        "select coalesce(sum(events), 0)::bigint, count(*), coalesce(sum(bytes), 0)::bigint from eventlog.segments",
    )
    .fetch_one(&log.pool)
    .await?;
    println!("head {head}, settled up to {safe}, {} positions in flight", (head - safe).max(0));
    println!("archive {} events in {} files of {}", archived.0, archived.1, size(archived.2));
    rates(&log.pool).await?;
    counts(&log.pool).await?;
    consumers(&log.pool).await?;
    tables(&log.pool).await
}

/// How many events the last minutes brought by their business time, which can be set: the log keeps no other.
async fn rates(pool: &PgPool) -> anyhow::Result<()> {
    let (one, five, fifteen): (i64, i64, i64) = sqlx::query_as(
        "select count(*) filter (where recorded_at > now() - interval '1 minute'),
                count(*) filter (where recorded_at > now() - interval '5 minutes'), count(*)
         from eventlog.events
         where recorded_at > now() - interval '15 minutes' and recorded_at <= now()",
    )
    .fetch_one(pool)
    .await?;
    for (minutes, events) in [(1, one), (5, five), (15, fifteen)] {
        let per_minute = events / minutes;
        println!("in the last {minutes:>2} minutes by business time: {events} events, {per_minute} a minute");
    }
    Ok(())
}

async fn counts(pool: &PgPool) -> anyhow::Result<()> {
    let counted: Vec<Counted> = sqlx::query_as(
        "select stream_kind, name, count(*) as events, sum(length(payload))::bigint as bytes
         from eventlog.events
         group by stream_kind, name
         order by stream_kind, name",
    )
    .fetch_all(pool)
    .await?;
    println!("\n{:<14} {:<48} {:>10} {:>10}", "kind", "name", "events", "payload");
    for Counted { stream_kind, name, events, bytes } in &counted {
        println!("{stream_kind:<14} {name:<48} {events:>10} {:>10}", size(*bytes));
    }
    let (events, bytes): (i64, i64) =
        counted.iter().fold((0, 0), |sum, counted| (sum.0 + counted.events, sum.1 + counted.bytes));
    println!("{:<14} {:<48} {events:>10} {:>10}", "", "in the database", size(bytes));
    Ok(())
}

async fn consumers(pool: &PgPool) -> anyhow::Result<()> {
    let consumers: Vec<Consumer> = sqlx::query_as(
        "select consumer as name, lane, lanes, position, eventlog.is_held(renewed_at, holder) as led,
                (select count(*) from eventlog.events as event where event.position > checkpoint.position) as lag,
                case when failed_position > position then
                    format('%s failures since %s at position %s, %s', failures, failing_since, failed_position, failed_name)
                end as stuck
         from eventlog.checkpoints as checkpoint
         order by consumer, lane",
    )
    .fetch_all(pool)
    .await?;
    println!("\n{:<24} {:>10} {:>10}  state", "consumer", "position", "behind");
    for Consumer { name, lane, lanes, position, lag, led, stuck } in consumers {
        let relay = name == relay::NAME;
        let name = if lanes == 1 { name } else { format!("{name} {}/{lanes}", lane + 1) };
        let state = match stuck {
            Some(stuck) => format!("STUCK: {stuck}"),
            None if led => "followed".to_owned(),
            // It needs no lease: the broker refuses whatever does not come next.
            None if relay => "relayed up to here".to_owned(),
            None => "nobody follows".to_owned(),
        };
        println!("{name:<24} {position:>10} {lag:>10}  {state}");
    }
    Ok(())
}

async fn tables(pool: &PgPool) -> anyhow::Result<()> {
    let tables: Vec<Table> = sqlx::query_as(
        "select relname::text as name, n_live_tup as rows, n_dead_tup as dead, pg_total_relation_size(relid) as bytes
         from pg_stat_user_tables
         where schemaname = 'eventlog' and relname not like '\\_%'
         order by relname",
    )
    .fetch_all(pool)
    .await?;
    println!("\n{:<24} {:>10} {:>10} {:>10}", "table", "rows", "dead", "on disk");
    for Table { name, rows, dead, bytes } in tables {
        println!("{name:<24} {rows:>10} {dead:>10} {:>10}", size(bytes));
    }
    Ok(())
}

/// A size for people.
fn size(bytes: i64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut size = bytes as f64 / 1000.0;
    let mut unit = 0;
    while size >= 1000.0 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit_that_fits() {
        let shown = [0, 999, 1_000, 1_540_000, 7_000_000_000_000_000].map(size);
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "1.5 MB", "7000.0 TB"]);
    }
}
