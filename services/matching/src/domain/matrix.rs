//! The verdict on every pair of a run: its points, or the hard rules that it breaks.

use assignment::Progress;

use crate::domain::Pair;
use crate::domain::inputs::Inputs;
use crate::domain::pairing::{self, Broken, Points};
use crate::domain::scoring::{Criterion, PerCriterion, SCORE_MAX};

/// The most pairs of a run; more would need more memory than a service should take.
pub const PAIRS_MAX: usize = 20_000_000;
/// Marks the first word of a pair that breaks rules; the rules are in its other bits.
const BREAKS: u16 = 1 << 15;
/// The bytes of a pair.
const PAIR_BYTES: usize = 2 * Criterion::COUNT;

/// The verdict on every pair, mentee by mentee; the pairs of a mentee in the order of the mentors.
///
/// A pair takes fourteen bytes: the points of its criteria, or the rules that it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    mentors: usize,
    scoring_version: i32,
    words: Vec<[u16; Criterion::COUNT]>,
}

/// Why there is no matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMatrix {
    /// There are more pairs than [`PAIRS_MAX`].
    #[error("{0} pairs are more than the {PAIRS_MAX} that a run can have")]
    TooLarge(usize),
    /// Somebody asked to end it.
    #[error("the computation was ended before it was done")]
    Cancelled,
}

impl Matrix {
    /// Judges every pair.
    ///
    /// # Errors
    /// [`NoMatrix::TooLarge`], or [`NoMatrix::Cancelled`] soon after that was asked of the progress.
    pub fn assess(inputs: &Inputs, progress: &Progress) -> Result<Self, NoMatrix> {
        let pairs = inputs.mentees.len().saturating_mul(inputs.mentors.len());
        if pairs > PAIRS_MAX {
            return Err(NoMatrix::TooLarge(pairs));
        }
        let mut words = Vec::with_capacity(pairs);
        for mentee in &inputs.mentees {
            if progress.is_cancelled() {
                return Err(NoMatrix::Cancelled);
            }
            words.extend(inputs.mentors.iter().map(|mentor| {
                let pair = Pair {
                    mentor: mentor.participant.standing.person,
                    mentee: mentee.participant.standing.person,
                };
                let past = inputs.past.get(&pair).copied();
                to_words(pairing::assess(&inputs.rules, &inputs.scoring, mentor, mentee, past))
            }));
        }
        Ok(Self { mentors: inputs.mentors.len(), scoring_version: inputs.scoring.version, words })
    }

    /// The points of a pair for a mentor's first place, by the indices of the two.
    ///
    /// # Errors
    /// The rules that the pair breaks.
    pub fn verdict(&self, mentee: usize, mentor: usize) -> Result<Points, Broken> {
        let words = self.words[mentee * self.mentors + mentor];
        match broken(words) {
            Some(broken) => Err(broken),
            None => {
                Ok(Points { by: PerCriterion(words.map(i32::from)), scoring_version: self.scoring_version })
            }
        }
    }

    /// The pairs of a mentee as they are stored: words of two bytes, big-endian.
    #[must_use]
    pub fn row(&self, mentee: usize) -> Vec<u8> {
        let row = &self.words[mentee * self.mentors..(mentee + 1) * self.mentors];
        row.iter().flatten().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// The matrix of inputs from its rows, in the order of the mentees; none if they are not of these inputs.
    #[must_use]
    pub fn from_rows(inputs: &Inputs, rows: &[Vec<u8>]) -> Option<Self> {
        let mentors = inputs.mentors.len();
        if rows.len() != inputs.mentees.len() || rows.iter().any(|row| row.len() != mentors * PAIR_BYTES) {
            return None;
        }
        let words: Option<Vec<_>> =
            rows.iter().flat_map(|row| row.chunks_exact(PAIR_BYTES)).map(from_bytes).collect();
        Some(Self { mentors, scoring_version: inputs.scoring.version, words: words? })
    }
}

fn to_words(verdict: Result<Points, Broken>) -> [u16; Criterion::COUNT] {
    match verdict {
        Ok(points) => points.by.0.map(|points| u16::try_from(points).unwrap_or_default()),
        Err(broken) => {
            let mut words = [0; Criterion::COUNT];
            words[0] = BREAKS | broken.bits();
            words
        }
    }
}

fn broken(words: [u16; Criterion::COUNT]) -> Option<Broken> {
    if words[0] & BREAKS == 0 { None } else { Broken::from_bits(words[0] & !BREAKS) }
}

/// None for what no verdict is stored as.
fn from_bytes(bytes: &[u8]) -> Option<[u16; Criterion::COUNT]> {
    let mut words = [0; Criterion::COUNT];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(2)) {
        *word = u16::from_be_bytes(bytes.try_into().ok()?);
    }
    let in_range = words.iter().map(|word| i32::from(*word)).sum::<i32>() <= SCORE_MAX;
    (in_range || broken(words).is_some()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::inputs::Past;
    use crate::domain::inputs::tests::{inputs, pair};
    use crate::domain::pairing::Rule;

    fn spoilt() -> Inputs {
        let mut inputs = inputs();
        inputs.past.insert(pair(11, 1), Past::NeverAgain);
        inputs.mentees[0].participant.languages = vec!["fi".to_owned()];
        inputs
    }

    #[test]
    fn every_pair_keeps_its_points_or_all_the_rules_that_it_breaks() {
        let matrix = Matrix::assess(&spoilt(), &Progress::default()).unwrap();
        let both = Broken::of([Rule::NeverAgain, Rule::NoCommonLanguage]).unwrap();
        assert_eq!(matrix.verdict(0, 0), Err(both));
        assert_eq!(matrix.verdict(0, 1), Err(Broken::of([Rule::NoCommonLanguage]).unwrap()));
        let points = matrix.verdict(1, 0).unwrap();
        assert_eq!(points.by.of(Criterion::Topics), 5_000);
        assert_eq!(matrix.verdict(1, 1).unwrap().by.of(Criterion::Topics), 2_500);
    }

    #[test]
    fn it_comes_back_from_its_rows_and_from_no_others() {
        let (inputs, matrix) = (spoilt(), Matrix::assess(&spoilt(), &Progress::default()).unwrap());
        let rows = vec![matrix.row(0), matrix.row(1)];
        assert_eq!(rows[0].len(), 28);
        assert_eq!(Matrix::from_rows(&inputs, &rows), Some(matrix));
        assert_eq!(Matrix::from_rows(&inputs, &rows[..1]), None);
        assert_eq!(Matrix::from_rows(&inputs, &[rows[0].clone(), vec![]]), None);
        let too_good = vec![0x27; 28];
        assert_eq!(Matrix::from_rows(&inputs, &[rows[0].clone(), too_good]), None);
        let unknown_rule = vec![0xff; 28];
        assert_eq!(Matrix::from_rows(&inputs, &[rows[0].clone(), unknown_rule]), None);
    }

    #[test]
    fn it_ends_when_somebody_asks_for_it() {
        let progress = Progress::default();
        progress.cancel();
        assert_eq!(Matrix::assess(&inputs(), &progress), Err(NoMatrix::Cancelled));
    }

    #[test]
    fn it_is_refused_before_it_takes_all_memory() {
        let mut vast = inputs();
        vast.mentees = vec![vast.mentees[0].clone(); 5_000];
        vast.mentors = vec![vast.mentors[0].clone(); 5_000];
        assert_eq!(Matrix::assess(&vast, &Progress::default()), Err(NoMatrix::TooLarge(25_000_000)));
    }
}
