//! `updraft events export`: the whole log as lines of JSON.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use super::{Filter, Log, PAGE, print};

/// How long to wait for appends in flight.
const SETTLE_AT_MOST: Duration = Duration::from_secs(30);

/// How far back the end of the last line is looked for; no event is nearly as long.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// What to export and where to.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// Begin after this position.
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: i64,
    /// Write to this file and not to standard output; if it is there already, go on after its last event.
    #[arg(long, value_name = "FILE", conflicts_with = "after")]
    output: Option<PathBuf>,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    process: boot::Config,
}

/// Writes everything up to the event that is the last one now.
pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let log = Log::open(&args.process).await?;
    let exported = export(&log, &args).await;
    log.close().await;
    let (lines, position) = exported?;
    // Standard output belongs to the events.
    eprintln!("{lines} events exported; go on with --after {position}");
    Ok(())
}

async fn export(log: &Log, args: &Args) -> anyhow::Result<(u64, i64)> {
    let (head, settled) = log.settled(SETTLE_AT_MOST).await?;
    anyhow::ensure!(settled, "an append in flight keeps the log from settling; nothing was exported");
    match &args.output {
        None => write(log, args, args.after, head, &mut io::stdout().lock()).await,
        Some(path) => {
            let (file, after) =
                open(path).with_context(|| format!("{} cannot be written", path.display()))?;
            let mut out = BufWriter::new(file);
            let done = write(log, args, after, head, &mut out).await?;
            out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
            Ok(done)
        }
    }
}

async fn write(
    log: &Log,
    args: &Args,
    after: i64,
    head: i64,
    out: &mut impl Write,
) -> anyhow::Result<(u64, i64)> {
    let (mut lines, mut at) = (0, after);
    loop {
        let page = eventlog::read(&log.pool, at, Some(head), PAGE).await?;
        let Some(last) = page.last() else { return Ok((lines, at.max(head))) };
        lines += print(out, &args.filter, &page)?;
        at = last.position;
    }
}

/// Opens a file at the end of its last whole line, and answers with the position of the event in it.
fn open(path: &Path) -> anyhow::Result<(File, i64)> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    let length = file.metadata()?.len();
    let begin = length.saturating_sub(LINE_BYTES_MAX);
    file.seek(SeekFrom::Start(begin))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    // What follows the last line break was cut off.
    let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    file.set_len(begin + whole as u64)?;
    file.seek(SeekFrom::End(0))?;
    let last = tail[..whole].trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    if last.is_empty() {
        return Ok((file, 0));
    }
    let event: Value = serde_json::from_slice(last).context("its last line is no event")?;
    let position = event["position"].as_i64().context("its last line is no event")?;
    Ok((file, position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_on_after_its_last_whole_line() {
        let path = std::env::temp_dir().join(format!("updraft-export-{}.jsonl", std::process::id()));
        std::fs::write(&path, "{\"position\":7}\n{\"position\":9}\n{\"posi").unwrap();
        let (mut file, position) = open(&path).unwrap();
        assert_eq!(position, 9);
        file.write_all(b"more\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"position\":7}\n{\"position\":9}\nmore\n");
        assert!(open(&path).is_err(), "a last line that is no event");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(open(&path).unwrap().1, 0);
        std::fs::remove_file(&path).unwrap();
    }
}
