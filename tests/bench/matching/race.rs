//! Everybody on one instance, each run in a process of its own with a limit of processor time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

use anyhow::Context;
use bench_matching::{Instance, read_answer};

use crate::judge::{Worth, weigh};

/// Processor seconds that a run may take in all.
pub(crate) const LIMIT_SECONDS: u32 = 60;
/// Nobody runs again who has taken so many processor seconds in all runs together.
const REPEAT_SECONDS: f64 = 4.0;
/// A dense solver gets no larger matrix.
const CELLS_MAX: u64 = 20_000_000;

/// A solver in the race.
#[derive(Debug)]
pub(crate) struct Contestant {
    /// What stands above its column.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) title: &'static str,
    driver: Driver,
    argument: &'static str,
    dense: bool,
}

#[derive(Clone, Copy, Debug)]
enum Driver {
    Own,
    Lemon,
    Python,
    Crates,
}

const fn sparse(
    name: &'static str,
    title: &'static str,
    driver: Driver,
    argument: &'static str,
) -> Contestant {
    Contestant { name, title, driver, argument, dense: false }
}

const fn dense(
    name: &'static str,
    title: &'static str,
    driver: Driver,
    argument: &'static str,
) -> Contestant {
    Contestant { name, title, driver, argument, dense: true }
}

/// Everybody; we come first.
pub(crate) const CONTESTANTS: [Contestant; 12] = [
    sparse("ours", "Updraft, crate assignment", Driver::Own, "drive"),
    sparse("lemon", "LEMON, NetworkSimplex", Driver::Lemon, "network-simplex"),
    sparse("or-flow", "OR-Tools, SimpleMinCostFlow", Driver::Python, "flow"),
    sparse("or-assign", "OR-Tools, SimpleLinearSumAssignment", Driver::Python, "assignment"),
    sparse("sp-sparse", "scipy, min_weight_full_bipartite_matching", Driver::Python, "sparse"),
    sparse("lapmod", "lapx, lapmod", Driver::Python, "lapmod"),
    sparse("sla-kho", "sparse_linear_assignment, KhoslaSolver", Driver::Crates, "khosla"),
    sparse("sla-fwd", "sparse_linear_assignment, ForwardAuctionSolver", Driver::Crates, "forward"),
    dense("sp-dense", "scipy, linear_sum_assignment", Driver::Python, "dense"),
    dense("lapx-jv", "lapx, lapjv", Driver::Python, "lapjv"),
    dense("lapjv-rs", "crate lapjv", Driver::Crates, "lapjv"),
    dense("pathfind", "crate pathfinding, kuhn_munkres_min", Driver::Crates, "pathfinding"),
];

/// What one run took: the words that its driver printed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run(pub(crate) BTreeMap<String, f64>);

impl Run {
    fn read(line: &str) -> Self {
        let word = |word: &str| {
            let (name, number) = word.split_once('=')?;
            Some((name.to_owned(), number.parse().ok()?))
        };
        Self(line.split_whitespace().filter_map(word).collect())
    }

    /// The number of this name; 0 if the driver does not give it.
    pub(crate) fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or_default()
    }
}

/// How it ended for one contestant.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Not started: the instance is not of its kind, or would take longer than the limit.
    Skipped,
    /// Stopped at the limit.
    OutOfTime,
    /// Ended without an answer, or with one that is none.
    Failed(String),
    /// Found an answer.
    Found(Worth),
}

/// All runs of one contestant on one instance.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) contestant: &'static Contestant,
    pub(crate) outcome: Outcome,
    pub(crate) runs: Vec<Run>,
}

impl Entry {
    /// The median of a number over the runs.
    pub(crate) fn median(&self, name: &str) -> f64 {
        let mut numbers: Vec<f64> = self.runs.iter().map(|run| run.get(name)).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.get(numbers.len() / 2).copied().unwrap_or_default()
    }

    /// The least of a number over the runs.
    pub(crate) fn best(&self, name: &str) -> f64 {
        self.runs.iter().map(|run| run.get(name)).fold(f64::INFINITY, f64::min)
    }

    fn wants_another(&self, repeats: usize) -> bool {
        let of = |run: &Run| run.get("load_s") + run.get("build_s") + run.get("solve_s");
        let spent: f64 = self.runs.iter().map(of).sum();
        matches!(self.outcome, Outcome::Found(_)) && self.runs.len() < repeats && spent < REPEAT_SECONDS
    }
}

/// Where the race takes place: the folder of the installed peers, one for files that come and go, and the most runs of
/// anybody on one instance.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    pub(crate) peers: PathBuf,
    pub(crate) scratch: PathBuf,
    pub(crate) repeats: usize,
}

impl Track {
    /// Lets everybody run on an instance, in turns; `predicted` tells the seconds that a contestant will take at least.
    pub(crate) fn race(
        &self,
        instance: &Instance,
        predicted: impl Fn(&Contestant) -> f64,
    ) -> anyhow::Result<Vec<Entry>> {
        let file = self.scratch.join("instance");
        instance.write(&file).context("the instance cannot be written")?;
        let cells = instance.executives() as u64 * instance.places();
        let mut entries = Vec::new();
        for contestant in &CONTESTANTS {
            let is_out =
                contestant.dense && cells > CELLS_MAX || predicted(contestant) > f64::from(LIMIT_SECONDS);
            let mut entry = Entry { contestant, outcome: Outcome::Skipped, runs: Vec::new() };
            if !is_out {
                self.run(instance, &file, &mut entry)?;
            }
            entries.push(entry);
        }
        while entries.iter().any(|entry| entry.wants_another(self.repeats)) {
            for entry in entries.iter_mut().filter(|entry| entry.wants_another(self.repeats)) {
                self.run(instance, &file, entry)?;
            }
        }
        fs::remove_file(file)?;
        Ok(entries)
    }

    fn run(&self, instance: &Instance, file: &Path, entry: &mut Entry) -> anyhow::Result<()> {
        let answer = self.scratch.join("answer");
        let Some(output) = within_limit(self.command(entry.contestant)?.arg(file).arg(&answer))? else {
            entry.outcome = Outcome::OutOfTime;
            return Ok(());
        };
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.trim().lines().next_back().unwrap_or("said nothing");
            entry.outcome = Outcome::Failed(format!("{last} ({})", output.status));
            return Ok(());
        }
        let answer = read_answer(&answer, instance.executives()).context("a driver wrote no answer")?;
        entry.outcome = match weigh(instance, &answer) {
            Ok(worth) => Outcome::Found(worth),
            Err(foul) => Outcome::Failed(format!("{foul:?}")),
        };
        entry.runs.push(Run::read(&String::from_utf8_lossy(&output.stdout)));
        Ok(())
    }

    fn command(&self, contestant: &Contestant) -> anyhow::Result<Command> {
        let program = match contestant.driver {
            Driver::Own => env::current_exe()?,
            Driver::Lemon => self.peers.join("lemon"),
            Driver::Python => self.peers.join("python/bin/python"),
            Driver::Crates => self.peers.join("target/release/crates"),
        };
        let mut command = Command::new(program);
        if matches!(contestant.driver, Driver::Python) {
            command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/peers.py"));
        }
        command.arg(contestant.argument);
        Ok(command)
    }
}

/// What a command printed; `None` if it had to be stopped.
///
/// The kernel's own limit is not used: a process under it reads its processor time in steps of a timer tick.
fn within_limit(command: &mut Command) -> anyhow::Result<Option<Output>> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stat = format!("/proc/{}/stat", child.id());
    while child.try_wait()?.is_none() {
        let spent = fs::read_to_string(&stat).ok().and_then(|stat| cpu_seconds(&stat));
        if spent.is_some_and(|seconds| seconds > f64::from(LIMIT_SECONDS)) {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(Some(child.wait_with_output()?))
}

/// Processor seconds, from the kernel's line about a process: user and system time are its fields 14 and 15, in
/// hundredths (proc(5)); its second field, a name in parentheses, may contain anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: Vec<f64> =
        fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    Some(ticks.iter().sum::<f64>() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_time_is_read_behind_a_name_with_any_characters() {
        let stat = "7 (a ) b) R 1 7 7 0 -1 4194304 90 0 0 0 250 50 0 0 20 0 1 0 3 4 5";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("nothing"), None);
    }
}
