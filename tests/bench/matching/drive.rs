//! Our own solver as a contestant: one task on one instance in a process of its own.

use std::path::Path;

use anyhow::{Context, bail};
use assignment::{Executive, Mentor, Pair, Problem, check, solve};
use bench_matching::{COST_BASE, Gauge, Instance, write_answer};

/// Runs a task, prints what it took and writes the answer.
pub(crate) fn drive(task: &str, instance: &Path, answer: &Path) -> anyhow::Result<()> {
    let bands = match task {
        "plain" => vec![],
        "fair" => vec![2_000, 3_000],
        _ => bail!("no task is called {task}"),
    };
    let mut gauge = Gauge::start()?;
    let instance = Instance::read(instance)?;
    gauge.lap("load_s");
    let problem = problem(&instance, bands);
    drop(instance);
    gauge.lap("build_s");
    let solution = gauge.repeat("solve_s", || solve(&problem))?;
    gauge.memory()?;
    gauge.repeat("check_s", || check::check(&problem, &solution)).context("the certificate does not hold")?;
    gauge.print();
    Ok(write_answer(answer, solution.assignment)?)
}

fn problem(instance: &Instance, bands: Vec<u16>) -> Problem {
    let mut pairs = Vec::with_capacity(instance.mentors.len());
    for executive in 0..instance.executives() {
        for pair in instance.pairs(executive) {
            let (mentor, score) = (instance.mentors[pair] as usize, COST_BASE - instance.costs[pair]);
            pairs.push(Pair { executive, mentor, score });
        }
    }
    Problem {
        executives: (0..).take(instance.executives()).map(|key| Executive { key, obliged: true }).collect(),
        mentors: (0..).zip(&instance.capacities).map(|(key, &capacity)| Mentor { key, capacity }).collect(),
        pairs,
        locks: Vec::new(),
        bands,
    }
}
