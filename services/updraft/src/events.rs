//! `updraft events tail|export|stats|archive|relocate`: looks at the event log and lets it grow old.
//!
//! Reading order: `shown` turns an event into JSON; `tail` and `export` print events, `stats` counts them, `archive` moves those of
//! a completed edition out of the database. All of them may run beside the system.

mod archive;
mod export;
mod shown;
mod stats;
mod tail;

use std::io::{self, Write};
use std::time::Duration;

use boot::Visit;
use clap::Subcommand;
use eventlog::{Feed, Recorded};
use tokio_util::sync::CancellationToken;

/// Events read from the log at once.
const PAGE: i64 = 1000;

/// What to do with the log.
#[derive(clap::Args)]
#[group(skip)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Prints events as JSON, one a line, and goes on with those that are recorded until Ctrl-C.
    Tail(tail::Args),
    /// Writes all events as JSON, one a line, in the order of the log, those of the archive included.
    Export(export::Args),
    /// Counts events by kind and name, and says how the log and its consumers stand.
    Stats(stats::Args),
    /// Moves the events of an archived edition into files; every reader still gets them.
    Archive(archive::Args),
    /// Tells the log that the files of its archive lie in another directory now, after it has verified each of them there.
    Relocate(archive::RelocateArgs),
}

/// Which events are shown.
#[derive(clap::Args)]
#[group(skip)]
struct Filter {
    /// Only streams of this kind, such as `tandem`; may be given several times.
    #[arg(long = "kind")]
    kinds: Vec<String>,
    /// Only events of this name, in full or its last part, such as `SessionHeld`; may be given several times.
    #[arg(long = "name")]
    names: Vec<String>,
}

impl Filter {
    fn passes(&self, event: &Recorded) -> bool {
        let last = event.name.rsplit('.').next().unwrap_or_default();
        (self.kinds.is_empty() || self.kinds.contains(&event.stream.kind))
            && (self.names.is_empty() || self.names.iter().any(|name| *name == event.name || name == last))
    }
}

/// Does it.
///
/// # Errors
/// One sentence for the operator.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let done = match args.what {
        What::Tail(args) => tail::run(args).await,
        What::Export(args) => export::run(args).await,
        What::Stats(args) => stats::run(args).await,
        What::Archive(args) => archive::run(args).await,
        What::Relocate(args) => archive::relocate(args).await,
    };
    // Whoever reads what is printed may have seen enough, as `head` does.
    let gone = |error: &anyhow::Error| {
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    done.or_else(|error| if gone(&error) { Ok(()) } else { Err(error) })
}

/// Prints the events of a page that pass, at once.
fn print(out: &mut impl Write, filter: &Filter, page: &[Recorded]) -> io::Result<u64> {
    let mut lines = 0;
    for event in page.iter().filter(|event| filter.passes(event)) {
        serde_json::to_writer(&mut *out, &shown::json(event))?;
        out.write_all(b"\n")?;
        lines += 1;
    }
    out.flush()?;
    Ok(lines)
}

/// The log for the time of a command.
struct Log {
    visit: Visit,
    feed: Feed,
    pool: sqlx::PgPool,
}

impl Log {
    async fn open(process: &boot::Config) -> anyhow::Result<Self> {
        let visit = Visit::to(process).await?;
        visit.migrate().await?;
        let pool = visit.database.pool("reader");
        let feed = Feed::start(visit.database.pool("feed"), CancellationToken::new());
        Ok(Self { visit, feed, pool })
    }

    /// The position of the last event, and whether everything up to it has settled in time.
    async fn settled(&self, at_most: Duration) -> anyhow::Result<(i64, bool)> {
        let head = eventlog::head(&self.pool).await?;
        let mut safe = self.feed.safe();
        let settled = tokio::time::timeout(at_most, safe.wait_for(|safe| *safe >= head)).await.is_ok();
        Ok((head, settled))
    }

    async fn close(self) {
        self.feed.drain().await;
        self.pool.close().await;
        self.visit.end().await;
    }
}
