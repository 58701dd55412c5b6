//! Published instances with published optima.

use assignment::{Executive, Mentor, Pair, Problem, check, solve};

/// Reads an instance; a cost of c becomes a score of 10,000 − c.
fn read(text: &str) -> Problem {
    let mut numbers = text
        .split_ascii_whitespace()
        .map(|number| number.parse::<u16>().expect("every word is a small number"));
    let size = numbers.next().expect("the size comes first");
    let people = 0..u32::from(size);
    let pairs = people.clone().flat_map(|executive| people.clone().map(move |mentor| (executive, mentor)));
    Problem {
        executives: (0..size.into()).map(|key| Executive { key, obliged: true }).collect(),
        mentors: (0..size.into()).map(|key| Mentor { key, capacity: 1 }).collect(),
        pairs: pairs
            .zip(numbers)
            .map(|((executive, mentor), cost)| Pair { executive, mentor, score: 10_000 - cost })
            .collect(),
        ..Problem::default()
    }
}

#[track_caller]
fn assert_optimum(text: &str, optimum: i64) {
    let problem = read(text);
    assert_eq!(problem.pairs.len(), problem.executives.len().pow(2));
    let solution = solve(&problem).expect("the instance is valid");
    let cost = solution.certificate.cost;
    assert_eq!((cost.unmatched, cost.loss), (0, optimum));
    assert_eq!(check::check(&problem, &solution), Ok(()));
}

#[test]
fn assign100_has_its_published_optimum() {
    assert_optimum(include_str!("orlib/assign100.txt"), 305);
}

#[test]
fn assign200_has_its_published_optimum() {
    assert_optimum(include_str!("orlib/assign200.txt"), 475);
}

#[test]
fn assign300_has_its_published_optimum() {
    assert_optimum(include_str!("orlib/assign300.txt"), 626);
}

#[test]
fn assign400_has_its_published_optimum() {
    assert_optimum(include_str!("orlib/assign400.txt"), 804);
}
