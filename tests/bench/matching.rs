//! The matching solver against its own checker: proving an answer must cost a small part of finding it.
//!
//! The instance: executives and mentors alike in number, each executive with fifty candidates drawn by a fixed linear
//! congruential generator (Knuth, *The Art of Computer Programming*, volume 2, section 3.3.4), scores uniform in 0 to 10000.

use std::time::Instant;

use assignment::{Executive, Mentor, Pair, Problem, check, solve};

const CANDIDATES: usize = 50;

fn main() -> anyhow::Result<()> {
    println!("executives     pairs   solve, s   check, s   check : solve");
    for people in [500, 1_000, 2_000] {
        let problem = instance(people);
        let begun = Instant::now();
        let solution = solve(&problem)?;
        let solved = begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        check::check(&problem, &solution)?;
        let checked = begun.elapsed().as_secs_f64();
        let pairs = problem.pairs.len();
        println!("{people:>10} {pairs:>9} {solved:>10.3} {checked:>10.3} {:>15.2}", checked / solved);
    }
    Ok(())
}

fn instance(people: usize) -> Problem {
    let mut state = 20_130_901_u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or_default() % below
    };
    let mut pairs = Vec::new();
    for executive in 0..people {
        let mut candidates: Vec<usize> = (0..CANDIDATES).map(|_| draw(people)).collect();
        candidates.sort_unstable();
        candidates.dedup();
        for mentor in candidates {
            let [executive, mentor] =
                [executive, mentor].map(|index| u32::try_from(index).unwrap_or_default());
            pairs.push(Pair { executive, mentor, score: u16::try_from(draw(10_001)).unwrap_or_default() });
        }
    }
    let keys = 0..u64::try_from(people).unwrap_or_default();
    Problem {
        executives: keys.clone().map(|key| Executive { key, obliged: true }).collect(),
        mentors: keys.map(|key| Mentor { key, capacity: 1 }).collect(),
        pairs,
        locks: Vec::new(),
        bands: vec![2_000, 3_000],
    }
}
