//! What is run, and what has to come out.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use bench_matching::Family;

use crate::judge::Worth;
use crate::race::{CONTESTANTS, Contestant, Entry, Outcome, Track};
use crate::{plot, table};

/// Families with their sizes, ascending within a family, and the targets that are judged on them.
#[derive(Debug)]
pub(crate) struct Program {
    /// The most runs of anybody on one instance.
    pub(crate) repeats: usize,
    instances: &'static [(Family, u32)],
    targets: &'static [Target],
    /// Of which families.
    is_of: fn(Family) -> bool,
}

impl Program {
    /// The same with some of the families alone.
    pub(crate) fn of(self, is_of: fn(Family) -> bool) -> Self {
        Self { is_of, ..self }
    }
}

/// What our solver must not exceed: a multiple of what a peer takes.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) family: Family,
    pub(crate) executives: u32,
    /// The number compared, as the drivers call it.
    pub(crate) number: &'static str,
    pub(crate) against: Against,
    pub(crate) limit: f64,
}

/// Whom a target names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Against {
    /// The fastest of those whose column begins like this; of all peers, if it is empty.
    Fastest(&'static str),
    /// Ourselves, by another number.
    Own(&'static str),
    /// The clock.
    Second,
}

/// Everything on one instance.
#[derive(Debug)]
pub(crate) struct Heat {
    pub(crate) family: Family,
    pub(crate) executives: u32,
    pub(crate) mentors: usize,
    pub(crate) pairs: usize,
    pub(crate) optimum: Worth,
    pub(crate) entries: Vec<Entry>,
}

const fn time(family: Family, executives: u32, peer: &'static str, limit: f64) -> Target {
    Target { family, executives, number: "solve_s", against: Against::Fastest(peer), limit }
}

const fn memory(family: Family, executives: u32, limit: f64) -> Target {
    Target { family, executives, number: "memory_kb", against: Against::Fastest(""), limit }
}

const fn own(family: Family, executives: u32, number: &'static str, limit: f64) -> Target {
    Target { family, executives, number, against: Against::Own("solve_s"), limit }
}

const fn seconds(family: Family, executives: u32, number: &'static str, limit: f64) -> Target {
    Target { family, executives, number, against: Against::Second, limit }
}

/// The run that counts.
pub(crate) const FULL: Program = Program {
    repeats: 3,
    instances: &[
        (Family::Realistic, 20),
        (Family::Realistic, 200),
        (Family::Realistic, 2_000),
        (Family::Realistic, 20_000),
        (Family::Realistic, 100_000),
        (Family::Uniform, 100_000),
        (Family::Square, 100_000),
        (Family::DenseUniform, 2_000),
        (Family::DenseRealistic, 2_000),
        (Family::Realistic, 300_000),
    ],
    targets: &[
        time(Family::Realistic, 100_000, "", 0.05),
        memory(Family::Realistic, 100_000, 0.25),
        own(Family::Realistic, 100_000, "fair_s", 3.0),
        own(Family::Realistic, 100_000, "check_s", 0.1),
        seconds(Family::Realistic, 100_000, "repair_p99_s", 0.001),
        seconds(Family::Realistic, 2_000, "what_if_p50_s", 0.000_1),
        seconds(Family::Realistic, 2_000, "what_if_p99_s", 0.000_1),
        time(Family::Uniform, 100_000, "or-", 0.01),
        time(Family::Square, 100_000, "or-assign", 0.8),
        time(Family::DenseUniform, 2_000, "sp-dense", 0.9),
        time(Family::DenseRealistic, 2_000, "sp-dense", 0.1),
    ],
    is_of: |_| true,
};

/// Some minutes for whoever works on the solver: small instances, which prove nothing about large ones.
pub(crate) const QUICK: Program = Program {
    repeats: 1,
    instances: &[
        (Family::Realistic, 200),
        (Family::Realistic, 2_000),
        (Family::Uniform, 2_000),
        (Family::Square, 2_000),
        (Family::DenseUniform, 500),
        (Family::DenseRealistic, 500),
    ],
    targets: &[
        time(Family::Realistic, 2_000, "", 0.05),
        memory(Family::Realistic, 2_000, 0.25),
        own(Family::Realistic, 2_000, "fair_s", 3.0),
        own(Family::Realistic, 2_000, "check_s", 0.1),
        seconds(Family::Realistic, 2_000, "repair_p99_s", 0.001),
        seconds(Family::Realistic, 2_000, "what_if_p50_s", 0.000_1),
        seconds(Family::Realistic, 2_000, "what_if_p99_s", 0.000_1),
        time(Family::Uniform, 2_000, "or-", 0.01),
        time(Family::Square, 2_000, "or-assign", 0.8),
        time(Family::DenseUniform, 500, "sp-dense", 0.9),
        time(Family::DenseRealistic, 500, "sp-dense", 0.1),
    ],
    is_of: |_| true,
};

/// Runs it all, and prints as it goes.
pub(crate) fn run(program: &Program, track: &Track, output: &Path) -> anyhow::Result<()> {
    let begun = Instant::now();
    table::print_legend();
    let mut heats: Vec<Heat> = Vec::new();
    for &(family, executives) in program.instances.iter().filter(|instance| (program.is_of)(instance.0)) {
        let heat = heat(track, family, executives, &heats)?;
        table::print_heat(&heat);
        heats.push(heat);
    }
    let targets = program.targets.iter().filter(|target| (program.is_of)(target.family));
    table::print_summary(&heats, targets);
    if (program.is_of)(Family::Realistic) {
        let svg = output.join("growth.svg");
        std::fs::write(&svg, plot::growth(&heats)).context("the plot cannot be written")?;
        println!("\ngrowth of R: {}", svg.display());
    }
    println!("the whole run took {:.0} s", begun.elapsed().as_secs_f64());
    ensure!(heats.iter().all(Heat::is_ours_optimal), "our answer is not the best one");
    Ok(())
}

fn heat(track: &Track, family: Family, executives: u32, before: &[Heat]) -> anyhow::Result<Heat> {
    let instance = family.instance(executives);
    let pairs = instance.mentors.len();
    let entries = track.race(&instance, |contestant| predicted(before, family, pairs, contestant))?;
    let found = |entry: &Entry| match entry.outcome {
        Outcome::Found(worth) => Some(worth),
        _ => None,
    };
    let optimum = entries.iter().filter_map(found).min().context("nobody found an answer")?;
    Ok(Heat { family, executives, mentors: instance.capacities.len(), pairs, optimum, entries })
}

/// The seconds that a contestant will probably take: its time grows as a power of the number of pairs, by what it took
/// on the two sizes before, and at least in proportion. Who was wrong on a smaller one need not come again.
fn predicted(before: &[Heat], family: Family, pairs: usize, contestant: &Contestant) -> f64 {
    let mut known = Vec::new();
    for heat in before.iter().rev().filter(|heat| heat.family == family) {
        let Some(entry) = heat.entries.iter().find(|entry| entry.contestant.name == contestant.name) else {
            break;
        };
        match entry.outcome {
            Outcome::OutOfTime | Outcome::Skipped => return f64::INFINITY,
            Outcome::Failed(_) => break,
            Outcome::Found(_) if !heat.is_optimal(entry) => return f64::INFINITY,
            Outcome::Found(_) => known.push((ratio(pairs, heat.pairs), entry.best("solve_s"))),
        }
    }
    let exponent = match known[..] {
        [(near, time), (far, earlier), ..] => (time / earlier).ln() / (far / near).ln(),
        _ => 1.0,
    };
    known.first().map_or(0.0, |&(growth, time)| time * growth.powf(exponent.max(1.0)))
}

fn ratio(count: usize, other: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / f64::from(u32::try_from(other).unwrap_or(u32::MAX))
}

impl Heat {
    /// Whether this entry is the optimum.
    pub(crate) fn is_optimal(&self, entry: &Entry) -> bool {
        matches!(entry.outcome, Outcome::Found(worth) if worth == self.optimum)
    }

    /// Our own entry.
    pub(crate) fn ours(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.contestant.name == CONTESTANTS[0].name)
    }

    /// The fastest peer that found the optimum, of those whose name begins like this.
    pub(crate) fn fastest(&self, prefix: &str) -> Option<&Entry> {
        let peers = self.entries.iter().filter(|entry| entry.contestant.name != CONTESTANTS[0].name);
        let named = peers.filter(|entry| entry.contestant.name.starts_with(prefix) && self.is_optimal(entry));
        named.min_by(|one, other| one.median("solve_s").total_cmp(&other.median("solve_s")))
    }

    fn is_ours_optimal(&self) -> bool {
        self.ours().is_some_and(|entry| self.is_optimal(entry))
    }
}
