//! The best set of tandems for frozen inputs, explained and proved.

use assignment::{Progress, Shortages, Solution};
use identity::PersonId;

use crate::domain::Pair;
use crate::domain::certificate::{self, Certificate};
use crate::domain::computation::{Question, stopped};
use crate::domain::frozen::Frozen;
use crate::domain::pairing::Points;

pub use crate::domain::computation::{Unsolvable, Wishes};

/// The most people whom the reasons of those without a mentor may name, all together; more would not fit into an event.
const NAMED_MAX: usize = 1_000_000;

/// What a computation found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The digest of the inputs.
    pub inputs_digest: String,
    /// Executives in the run.
    pub mentee_count: i32,
    /// Places of the mentors in the run.
    pub place_count: i32,
    /// The tandems, by mentee.
    pub pairs: Vec<Proposed>,
    /// Executives without a mentor, by person.
    pub unmatched: Vec<Unmatched>,
    /// Proof of the optimum.
    pub certificate: Certificate,
    /// Pairs who would both rather have each other.
    pub blocking_pair_count: i32,
    /// What the office wanted.
    pub wishes: Wishes,
    /// The version of the scoring rules.
    pub scoring_version: i32,
    /// Scores below which a pair is unfair, ascending.
    pub bands: Vec<u16>,
}

impl Staged {
    /// The sum of the scores.
    #[must_use]
    pub fn score(&self) -> i32 {
        let sum: i64 = self.pairs.iter().map(|proposed| i64::from(proposed.points.score())).sum();
        count(sum)
    }

    /// How many pairs score below each band.
    pub fn band_counts(&self) -> impl Iterator<Item = (u16, usize)> {
        let scores = || self.pairs.iter().map(|proposed| proposed.points.score());
        self.bands.iter().map(move |band| (*band, scores().filter(|score| *score < i32::from(*band)).count()))
    }
}

/// A tandem that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// The two.
    pub pair: Pair,
    /// What the score is made of.
    pub points: Points,
    /// Which of the mentor's free places, from 0.
    pub place: u32,
    /// Whether the office locked it.
    pub locked: bool,
}

/// An executive without a mentor, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// The executive.
    pub mentee: PersonId,
    /// The executives who together have too few places, this one among them.
    pub competing: Vec<PersonId>,
    /// The only mentors these executives could have; none if no accepted mentor keeps the hard rules.
    pub mentors: Vec<PersonId>,
    /// The places of these mentors.
    pub places: i32,
}

/// Computes the best set of tandems; takes long for many people.
///
/// # Errors
/// The wish that cannot be granted, or that the computation was ended.
pub fn solve(frozen: &Frozen, wishes: Wishes, progress: &Progress) -> Result<Staged, Unsolvable> {
    let question = Question::ask(frozen, &wishes)?;
    let solution = question.solve(progress)?;
    let outcome = question.outcome(&solution.assignment);
    let pairs = outcome.found.iter().enumerate().filter_map(|(mentee, found)| {
        let found = found.as_ref()?;
        let pair = frozen.pair(mentee, found.mentor);
        let locked = wishes.locks.contains(&pair);
        Some(Proposed { pair, points: found.points, place: found.place, locked })
    });
    let scoring = &frozen.inputs.scoring;
    Ok(Staged {
        inputs_digest: frozen.digest.clone(),
        mentee_count: count(frozen.inputs.mentees.len()),
        place_count: frozen.inputs.mentors.iter().map(|mentor| count(mentor.places)).sum(),
        pairs: pairs.collect(),
        unmatched: unmatched(frozen, &question, &solution, progress)?,
        certificate: certificate::of(frozen, &question, &solution),
        blocking_pair_count: count(outcome.figures(frozen).blocking_pairs),
        wishes,
        scoring_version: scoring.version,
        bands: scoring.rules.bands().to_vec(),
    })
}

fn unmatched(
    frozen: &Frozen,
    question: &Question<'_>,
    solution: &Solution,
    progress: &Progress,
) -> Result<Vec<Unmatched>, Unsolvable> {
    let left = || (0..).zip(&solution.assignment).filter(|(_, mentor)| mentor.is_none());
    if left().next().is_none() {
        return Ok(Vec::new());
    }
    let shortages = Shortages::new(&question.problem, solution);
    let mentor = |seat: usize| question.seats.seats[seat].mentor;
    let (mut unmatched, mut named) = (Vec::new(), 0);
    for shortage in left().map(|(index, _)| (index, shortages.of(index))) {
        stopped(progress)?;
        let (index, Some(shortage)) = shortage else { continue };
        let mut mentors: Vec<usize> = shortage.mentors.into_iter().map(mentor).collect();
        mentors.dedup();
        named += shortage.executives.len() + mentors.len();
        if named > NAMED_MAX {
            return Err(Unsolvable::TooManyUnmatched(left().count()));
        }
        unmatched.push(Unmatched {
            mentee: frozen.mentee(index),
            competing: shortage.executives.into_iter().map(|index| frozen.mentee(index)).collect(),
            mentors: mentors.into_iter().map(|index| frozen.mentor(index)).collect(),
            places: count(shortage.places),
        });
    }
    Ok(unmatched)
}

/// A number of people, places or points, as the interfaces count.
pub(crate) fn count(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
