//! The limit: the same rows by a bare COPY into a table with the same indexes.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use sqlx::postgres::PgPoolCopyExt;

use crate::stage::Stage;

const TO: &str = "copy enrollment.workers to stdout (format binary)";
const TABLE: &str = "create table copied (like enrollment.workers including all)";
const FROM: &str = "copy copied from stdin (format binary)";

/// Copies the workers; they are read beforehand.
pub(crate) async fn run(stage: &Stage) -> anyhow::Result<Duration> {
    let pages: Vec<_> = stage.owner.copy_out_raw(TO).await?.try_collect().await?;
    sqlx::raw_sql(TABLE).execute(&stage.owner).await?;
    let begin = Instant::now();
    let mut copy = stage.owner.copy_in_raw(FROM).await?;
    for page in pages {
        copy.send(page).await?;
    }
    copy.finish().await?;
    Ok(begin.elapsed())
}
