//! `updraft events archive|relocate`: the events of a completed edition leave the database.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use boot::Visit;
use eventlog::{Recorded, StreamId};
use identity::EditionId;
use prost::Name;
use proto::enrollment::EditionArchived;
use sqlx::PgPool;

use super::{PAGE, shown};

/// What to archive and where to.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// The edition, which must have been archived by the programme office.
    edition: EditionId,
    /// The directory of the archive; it must stay readable for every process. `archive` in the data directory if not given.
    #[arg(long, env = "UPDRAFT_ARCHIVE_DIR")]
    archive_dir: Option<PathBuf>,
    #[command(flatten)]
    process: boot::Config,
}

/// Where the archive lies now.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct RelocateArgs {
    /// The directory that holds every file of the archive.
    directory: PathBuf,
    #[command(flatten)]
    process: boot::Config,
}

/// Moves the events and says how many.
pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let data_dir = &args.process.cluster.data_dir;
    let directory = args.archive_dir.clone().unwrap_or_else(|| data_dir.join("archive"));
    let directory = std::path::absolute(directory)?;
    let visit = Visit::to(&args.process).await?;
    let moved = archive(&visit, &directory, args.edition).await;
    visit.end().await;
    let moved = moved?;
    println!(
        "{} events of {} streams moved into {} files of {} bytes in {}",
        moved.events,
        moved.streams,
        moved.segments,
        moved.bytes,
        directory.display()
    );
    Ok(())
}

/// Verifies and writes the new place down.
pub(super) async fn relocate(args: RelocateArgs) -> anyhow::Result<()> {
    let directory = std::path::absolute(&args.directory)?;
    let visit = Visit::to(&args.process).await?;
    let relocated = async {
        visit.migrate().await?;
        anyhow::Ok(eventlog::relocate(&visit.database.pool("eventlog"), &directory).await?)
    };
    let relocated = relocated.await;
    visit.end().await;
    println!("{} files are unharmed in {} and read from there", relocated?, directory.display());
    Ok(())
}

async fn archive(visit: &Visit, directory: &Path, edition: EditionId) -> anyhow::Result<eventlog::Archived> {
    visit.migrate().await?;
    let owner = visit.database.pool("eventlog");
    let found = streams(&owner, edition).await?;
    anyhow::ensure!(
        found.is_archived,
        "the edition {edition} is not archived: its events may still be needed"
    );
    Ok(eventlog::archive(&owner, directory, &edition.to_string(), &found.streams).await?)
}

/// What the log holds of an edition.
struct Found {
    is_archived: bool,
    streams: BTreeSet<StreamId>,
}

/// Finds the streams that are about the edition and nothing else.
async fn streams(pool: &PgPool, edition: EditionId) -> anyhow::Result<Found> {
    let edition = edition.to_string();
    let mut wholly = BTreeMap::new();
    let (mut is_archived, mut at) = (false, 0);
    loop {
        let page = eventlog::read(pool, at, None, PAGE).await?;
        let Some(last) = page.last() else { break };
        at = last.position;
        for event in &page {
            let ours = edition_of(event)?.as_deref() == Some(edition.as_str());
            is_archived |= ours && event.name == EditionArchived::full_name();
            *wholly.entry(event.stream.clone()).or_insert(true) &= ours;
        }
    }
    let streams = wholly.into_iter().filter_map(|(stream, wholly)| wholly.then_some(stream)).collect();
    Ok(Found { is_archived, streams })
}

/// The edition that an event names; none if it names none, as those of people.
fn edition_of(event: &Recorded) -> anyhow::Result<Option<String>> {
    let message = shown::message(event).map_err(|reason| {
        anyhow::anyhow!("the event {} at position {} cannot be read: {reason}", event.name, event.position)
    })?;
    let edition = message.get_field_by_name("edition_id");
    Ok(edition.and_then(|edition| edition.as_str().map(str::to_owned)))
}
