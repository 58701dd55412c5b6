//! What a market that is kept takes: repairs after changes, and exact questions.

use std::collections::BTreeSet;

use anyhow::ensure;
use assignment::{Change, Engine, Problem, Progress, Solution, solve};
use bench_matching::{Gauge, Random, cpu_seconds};

/// No more repairs or questions after so many processor seconds.
const SECONDS_MAX: f64 = 2.0;
const QUESTIONS: usize = 1_000;
/// One repair for so many executives, so that the market stays what it is.
const EXECUTIVES_PER_REPAIR: usize = 20;
const REPAIRS_MAX: usize = 1_000;

/// Asks what everybody would lose if two had to be a tandem, who are drawn at random among the pairs that are none.
pub(crate) fn ask(
    gauge: &mut Gauge,
    engine: &mut Engine<'_>,
    asked: &Problem,
    solution: &Solution,
) -> anyhow::Result<()> {
    let mut random = Random::new(1);
    let mut questions = engine.what_if(&Progress::default())?;
    let mut times = Vec::new();
    let end = cpu_seconds() + SECONDS_MAX;
    for _ in (0..QUESTIONS).take_while(|_| cpu_seconds() < end) {
        let pair = asked.pairs[random.index(asked.pairs.len())];
        let (executive, mentor) = (pair.executive as usize, pair.mentor as usize);
        if solution.assignment[executive] == Some(mentor) {
            continue;
        }
        let begun = cpu_seconds();
        questions.forced(executive, mentor)?;
        times.push(cpu_seconds() - begun);
    }
    note(gauge, "what_if", times);
    Ok(())
}

/// Changes the problem again and again, repairs the answer, and compares it in the end with a solve from nothing.
///
/// A quarter of the changes each dissolves a tandem for good, gives a pair another score, gives a mentor one place more,
/// and takes one away; all of them drawn uniformly.
pub(crate) fn repair(
    gauge: &mut Gauge,
    engine: &mut Engine<'_>,
    asked: Problem,
    solution: &Solution,
) -> anyhow::Result<()> {
    let mut changing = Changing { asked, solution, random: Random::new(2), dissolved: BTreeSet::new() };
    let mut times = Vec::new();
    let turns = (solution.assignment.len() / EXECUTIVES_PER_REPAIR).clamp(1, REPAIRS_MAX);
    let end = cpu_seconds() + SECONDS_MAX;
    for turn in (0..turns).take_while(|_| cpu_seconds() < end) {
        let Some(change) = changing.draw(turn) else { continue };
        let begun = cpu_seconds();
        engine.apply(change)?;
        times.push(cpu_seconds() - begun);
    }
    note(gauge, "repair", times);
    let repaired = engine.solution(&Progress::default())?;
    ensure!(repaired == solve(&changing.asked())?, "a repaired answer is not that of a solve from nothing");
    Ok(())
}

/// A problem, and what has changed since its solution.
struct Changing<'a> {
    asked: Problem,
    solution: &'a Solution,
    random: Random,
    /// Indices of pairs.
    dissolved: BTreeSet<usize>,
}

impl Changing<'_> {
    /// A change, written down at once; `None` if the person drawn allows of none.
    fn draw(&mut self, turn: usize) -> Option<Change> {
        let mentor = self.random.index(self.asked.mentors.len());
        let places = &mut self.asked.mentors[mentor].capacity;
        match turn % 4 {
            0 => self.dissolve(),
            1 => self.score(),
            2 => {
                *places += 1;
                Some(Change::Capacity { mentor, capacity: *places })
            }
            _ => {
                *places = places.checked_sub(1)?;
                Some(Change::Capacity { mentor, capacity: *places })
            }
        }
    }

    fn dissolve(&mut self) -> Option<Change> {
        let executive = self.random.index(self.asked.executives.len());
        let mentor = self.solution.assignment[executive]?;
        let found = self.asked.pairs.binary_search_by_key(&(executive, mentor), |pair| {
            (pair.executive as usize, pair.mentor as usize)
        });
        let is_new = self.dissolved.insert(found.ok()?);
        is_new.then_some(Change::Score { executive, mentor, score: None })
    }

    fn score(&mut self) -> Option<Change> {
        let index = self.random.index(self.asked.pairs.len());
        if self.dissolved.contains(&index) {
            return None;
        }
        let score = u16::try_from(self.random.below(10_001)).ok()?;
        let pair = &mut self.asked.pairs[index];
        pair.score = score;
        let (executive, mentor) = (pair.executive as usize, pair.mentor as usize);
        Some(Change::Score { executive, mentor, score: Some(score) })
    }

    /// The problem as it is now.
    fn asked(mut self) -> Problem {
        let mut index = 0..;
        self.asked.pairs.retain(|_| index.next().is_some_and(|index| !self.dissolved.contains(&index)));
        self.asked
    }
}

fn note(gauge: &mut Gauge, name: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    gauge.note(&format!("{name}_times"), times.len());
    for percent in [50, 99, 100] {
        let at = (times.len() * percent).div_ceil(100).saturating_sub(1);
        gauge.note(&format!("{name}_p{percent}_s"), times.get(at).copied().unwrap_or_default());
    }
}
