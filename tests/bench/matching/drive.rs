//! Our own solver as a contestant: one instance in a process of its own.

use std::path::Path;

use anyhow::Context;
use assignment::{Effort, Engine, Executive, Mentor, Pair, Problem, Progress, Solution, check, solve};
use bench_matching::{COST_BASE, Gauge, Instance, REPEAT_SECONDS, cpu_seconds, write_answer};

use crate::upkeep;

/// The published bands, for the level of fairness.
const BANDS: [u16; 2] = [2_000, 3_000];

/// Solves an instance, prints what it took and writes the answer.
///
/// Beside the solve without fairness, which is what peers do, it measures the check of the certificate as `check_s`, a
/// solve with fairness as `fair_s`, and what `upkeep` measures.
pub(crate) fn drive(path: &Path, answer: &Path) -> anyhow::Result<()> {
    let mut gauge = Gauge::start()?;
    let instance = Instance::read(path)?;
    gauge.lap("load_s");
    let asked = problem(&instance)?;
    drop(instance);
    gauge.lap("build_s");
    let (mut engine, solution, once) = solved(&asked, &mut gauge)?;
    gauge.memory()?;
    if once < REPEAT_SECONDS {
        gauge.repeat("solve_s", || solve(&asked))?;
    } else {
        gauge.note("solve_s", once);
    }
    gauge.repeat("check_s", || check::check(&asked, &solution)).context("the certificate does not hold")?;
    let fairly = Problem { bands: BANDS.to_vec(), ..asked.clone() };
    let fair = gauge.repeat("fair_s", || solve(&fairly))?;
    check::check(&fairly, &fair).context("the certificate with fairness does not hold")?;
    drop(fairly);
    note(&mut gauge, engine.effort());
    upkeep::ask(&mut gauge, &mut engine, &asked, &solution)?;
    upkeep::repair(&mut gauge, &mut engine, asked.clone(), &solution)?;
    gauge.print();
    Ok(write_answer(answer, solution.assignment)?)
}

/// The answer, and the processor seconds it took.
///
/// Noted apart is how much of that went into validating and sorting the pairs, and into the smallest prices.
fn solved<'p>(asked: &'p Problem, gauge: &mut Gauge) -> anyhow::Result<(Engine<'p>, Solution, f64)> {
    let progress = Progress::default();
    let begun = cpu_seconds();
    let opened = assignment::Instance::new(asked)?;
    let ready = cpu_seconds();
    let mut engine = opened.solve(&progress)?;
    let seated = cpu_seconds();
    let solution = engine.solution(&progress)?;
    let proved = cpu_seconds();
    gauge.note("of_it_sorting_s", ready - begun);
    gauge.note("of_it_prices_s", proved - seated);
    Ok((engine, solution, proved - begun))
}

fn note(gauge: &mut Gauge, effort: Effort) {
    let Effort { bids, pairs_bid_for, paths, mentors_settled, pairs_relaxed } = effort;
    gauge.note("bids", bids);
    gauge.note("pairs_bid_for", pairs_bid_for);
    gauge.note("paths", paths);
    gauge.note("mentors_settled", mentors_settled);
    gauge.note("pairs_relaxed", pairs_relaxed);
}

fn problem(instance: &Instance) -> anyhow::Result<Problem> {
    let mut pairs = Vec::with_capacity(instance.mentors.len());
    for executive in 0..instance.executives() {
        let row = instance.pairs(executive);
        let executive = u32::try_from(executive)?;
        pairs.extend(row.map(|pair| Pair {
            executive,
            mentor: instance.mentors[pair],
            score: COST_BASE - instance.costs[pair],
        }));
    }
    Ok(Problem {
        executives: (0..).take(instance.executives()).map(|key| Executive { key, obliged: true }).collect(),
        mentors: (0..).zip(&instance.capacities).map(|(key, &capacity)| Mentor { key, capacity }).collect(),
        pairs,
        locks: Vec::new(),
        bands: Vec::new(),
    })
}
