//! What an append costs as the log grows, beside the limit on a table that does not.

use eventlog::Appender;

use crate::callers;
use crate::scale::Scale;
use crate::stage::{Log, Stage};
use bench::series::{Series, Target, heading, row};

const CALLERS: usize = 256;
/// The sizes that are measured between the history and the end, as multiples of the one before.
const STEP: u64 = 3;

/// Fills the log step by step and appends at each.
pub(crate) async fn run(stage: &Stage, scale: &Scale, limit: &str, log: &Log) -> anyhow::Result<()> {
    // It would start by itself amid a measurement, for the rows that were filled in.
    sqlx::query("alter table eventlog.events set (autovacuum_enabled = off)").execute(&log.owner).await?;
    let feed = log.feed();
    let appender = Appender::start(&log.appending(), &feed.wake(), &());
    let (mut size, mut first) = (scale.history, None);
    heading("appends as the log grows, 256 callers, events per second");
    loop {
        let (rates, inserts) = at_this_size(stage, scale, limit, &appender).await?;
        let ratio = rates.to(&inserts);
        let work = format!("{size} events : pgbench, 32 clients");
        row(&work, &rates, Some(&ratio), None);
        let before = first.get_or_insert(ratio.clone());
        if size >= scale.growth {
            println!();
            let cost = before.to(&ratio);
            row(
                "cost of an append at the end : at the beginning",
                &cost,
                Some(&cost),
                Some(Target::AtMost(1.2)),
            );
            break;
        }
        let next = scale.growth.min(size * STEP);
        log.fill(size, next).await?;
        size = next;
    }
    feed.drain().await;
    Ok(())
}

async fn at_this_size(
    stage: &Stage,
    scale: &Scale,
    limit: &str,
    appender: &Appender,
) -> anyhow::Result<(Series, Series)> {
    let (mut rates, mut inserts) = (Series::default(), Series::default());
    for _ in 0..scale.repeats {
        inserts.push(stage.pgbench().insert(limit, 32, scale.append).await?.rate);
        rates.push(callers::append(appender, CALLERS, scale.append, 1).await?.rate());
    }
    Ok((rates, inserts))
}
