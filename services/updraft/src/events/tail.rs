//! `updraft events tail`: the log as it grows.

use std::io;

use eventlog::Feed;
use sqlx::PgPool;

use super::{Filter, Log, PAGE, print};

/// Where to begin and what to show.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// Begin after this position; 0 is the whole log. Without it, only what is recorded from now on is shown.
    #[arg(long, value_name = "POSITION")]
    after: Option<i64>,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    process: boot::Config,
}

/// Prints until it is asked to end.
pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let log = Log::open(&args.process).await?;
    let followed = tokio::select! {
        followed = follow(&log.pool, &log.feed, args.after, &args.filter) => followed,
        () = boot::asked_to_end() => Ok(()),
    };
    log.close().await;
    followed
}

async fn follow(pool: &PgPool, feed: &Feed, after: Option<i64>, filter: &Filter) -> anyhow::Result<()> {
    let mut at = match after {
        Some(after) => after,
        None => eventlog::head(pool).await?,
    };
    let mut safe = feed.safe();
    loop {
        let up_to = *safe.wait_for(|safe| *safe > at).await?;
        let page = eventlog::read(pool, at, Some(up_to), PAGE).await?;
        print(&mut io::stdout().lock(), filter, &page)?;
        at = page.last().map_or(up_to, |last| last.position);
    }
}
