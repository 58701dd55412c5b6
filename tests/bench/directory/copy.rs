//! The limits: the same rows by a bare COPY into tables with the same indexes.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPoolCopyExt;

use crate::stage::Stage;

/// What an HR system says, a row a person.
pub(crate) const SAID: [&str; 1] = ["enrollment.workers"];
/// All that a record writes before it is answered: beside what was said, the event, and the person as this service knows and shows
/// them. What the followers write later is not among it.
pub(crate) const ANSWERED: [&str; 4] =
    ["enrollment.workers", "eventlog.events", "enrollment.people", "enrollment.person_details"];

/// Copies tables; their rows are read beforehand.
pub(crate) async fn run(stage: &Stage, tables: &[&str]) -> anyhow::Result<Duration> {
    let mut time = Duration::ZERO;
    for table in tables {
        let out = format!("copy {table} to stdout (format binary)");
        let pages: Vec<_> = stage.owner.copy_out_raw(&out).await?.try_collect().await?;
        let anew = format!("drop table if exists copied; create table copied (like {table} including all)");
        sqlx::raw_sql(AssertSqlSafe(anew)).execute(&stage.owner).await?;
        let begin = Instant::now();
        let mut copy = stage.owner.copy_in_raw("copy copied from stdin (format binary)").await?;
        for page in pages {
            copy.send(page).await?;
        }
        copy.finish().await?;
        time += begin.elapsed();
    }
    Ok(time)
}
