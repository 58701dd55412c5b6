//! The race of the matching solvers: the same instances for ours and its peers, in one run.
//!
//! `bench-matching PEERS OUTPUT [quick|growth|rest]`: PEERS is the folder that `peers/install` prints, OUTPUT gets the plot.
//! `growth` runs the family R alone, which is what the plot shows, and `rest` all others: each about half the time. Every
//! solver runs in a process of its own; who took how much is in `measure`, who is judged how in `judge`, the families
//! of instances are in `family` and `people`, the order of the runs in `race`.

mod drive;
mod judge;
mod plot;
mod program;
mod race;
mod table;
mod upkeep;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::bail;
use bench_matching::Family;

use crate::race::Track;

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["drive", instance, answer] => drive::drive(Path::new(instance), Path::new(answer)),
        [peers, output] => run(peers, output, &program::FULL),
        [peers, output, "quick"] => run(peers, output, &program::QUICK),
        [peers, output, "growth"] => {
            run(peers, output, &program::FULL.of(|family| family == Family::Realistic))
        }
        [peers, output, "rest"] => {
            run(peers, output, &program::FULL.of(|family| family != Family::Realistic))
        }
        _ => bail!("bench-matching PEERS OUTPUT [quick|growth|rest]"),
    }
}

fn run(peers: &str, output: &str, program: &program::Program) -> anyhow::Result<()> {
    std::fs::create_dir_all(output)?;
    let (peers, output) = (PathBuf::from(peers), PathBuf::from(output));
    let scratch = output.join(format!("running-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let ran =
        program::run(program, &Track { peers, scratch: scratch.clone(), repeats: program.repeats }, &output);
    std::fs::remove_dir_all(scratch)?;
    ran
}
