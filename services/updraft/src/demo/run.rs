//! `updraft demo`: the demonstration anew, in a directory of its own.

use std::fs;

use anyhow::Context;

use super::{BEGIN, Marker, play};
use crate::run::{self, Whole};

/// How to play it.
#[derive(clap::Args, Clone)]
#[group(skip)]
pub struct Args {
    /// End after the report instead of staying up to be looked at.
    #[arg(long)]
    exit: bool,
    #[command(flatten)]
    run: run::Args,
}

/// Plays the demonstration in the folder `demo` of the data directory, which it empties first.
///
/// # Errors
/// One sentence for the operator.
pub async fn run(mut args: Args) -> anyhow::Result<()> {
    let telemetry = telemetry::start(&args.run.process.telemetry, "updraft")?;
    let dir = args.run.process.cluster.data_dir.join("demo");
    if dir.exists() {
        anyhow::ensure!(
            dir.join("demonstration").exists(),
            "{} holds something else than a demonstration; remove it, or set UPDRAFT_DATA_DIR",
            dir.display()
        );
        fs::remove_dir_all(&dir).with_context(|| format!("{} cannot be emptied", dir.display()))?;
    }
    fs::create_dir_all(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    args.run.process.cluster.data_dir = dir;
    let marker = Marker::in_dir(&args.run.process.cluster.data_dir);
    marker.playing()?;

    let whole = Whole::start(&args.run, Some(BEGIN)).await?;
    let outcome = attend(&whole, &marker, args.exit).await;
    whole.drain().await;
    drop(telemetry);
    outcome
}

async fn attend(whole: &Whole, marker: &Marker, exit: bool) -> anyhow::Result<()> {
    let stage = whole.stage();
    tokio::select! {
        report = play(&stage) => {
            println!("{}", report?);
            marker.played()?;
        }
        ended = whole.serving.ended() => return Ok(ended?),
    }
    if exit {
        return Ok(());
    }
    println!("{}", whole.where_to_go());
    Ok(whole.serving.ended().await?)
}
