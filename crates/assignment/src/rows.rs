//! The admissible pairs, grouped by one side: compressed sparse rows in two flat arrays.

use crate::problem::{Problem, SCORE_MAX};

/// The loss of a pair that is no longer admissible; such pairs stand at the end of their row.
pub(crate) const FORBIDDEN: u16 = u16::MAX;

/// Per person of one side, the people of the other side and what the pair lacks to the best score.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    starts: Vec<u32>,
    others: Vec<u32>,
    losses: Vec<u16>,
}

impl Rows {
    /// Per executive, the candidates by rising loss.
    pub(crate) fn of_executives(problem: &Problem) -> Self {
        let pairs = problem.pairs.iter();
        let mut rows = Self::group(
            problem.executives.len(),
            pairs.map(|pair| (pair.executive, pair.mentor, SCORE_MAX - pair.score)),
        );
        let mut keys = Vec::new();
        for row in 0..problem.executives.len() {
            rows.sort(row, &mut keys);
        }
        rows
    }

    /// The same pairs by the other side, in no particular order: so many of each row as `lengths` says.
    pub(crate) fn transposed(&self, count: usize, lengths: &[u32]) -> Self {
        let rows = (0..).zip(lengths);
        let row = |(row, &length): (u32, &u32)| {
            let pairs = self.row(row as usize).take(length as usize);
            pairs.map(move |(other, loss)| (other, row, loss))
        };
        Self::group(count, rows.flat_map(row))
    }

    fn group(count: usize, pairs: impl Iterator<Item = (u32, u32, u16)> + Clone) -> Self {
        let mut starts = vec![0_u32; count + 1];
        for (row, _, _) in pairs.clone() {
            starts[row as usize + 1] += 1;
        }
        for row in 0..count {
            starts[row + 1] += starts[row];
        }
        let mut ends = starts.clone();
        let mut others = vec![0; starts[count] as usize];
        let mut losses = vec![0; others.len()];
        for (row, other, loss) in pairs {
            let end = &mut ends[row as usize];
            others[*end as usize] = other;
            losses[*end as usize] = loss;
            *end += 1;
        }
        Self { starts, others, losses }
    }

    #[inline]
    fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.starts[row] as usize..self.starts[row + 1] as usize
    }

    /// The others of one row with the losses.
    #[inline]
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = (u32, u16)> + Clone + '_ {
        let range = self.range(row);
        self.others[range.clone()].iter().copied().zip(self.losses[range].iter().copied())
    }

    pub(crate) fn others(&self, row: usize) -> &[u32] {
        &self.others[self.range(row)]
    }

    /// One pair, if it was admissible when the rows were made.
    pub(crate) fn find(&self, row: usize, other: usize) -> Option<(u32, u16)> {
        self.row(row).find(|pair| pair.0 as usize == other)
    }

    /// Changes the loss of a pair; the row is out of order then.
    pub(crate) fn set(&mut self, row: usize, other: u32, loss: u16) {
        let range = self.range(row);
        for at in range {
            if self.others[at] == other {
                self.losses[at] = loss;
            }
        }
    }

    /// Sorts one row by loss; the keys are a buffer.
    #[expect(clippy::cast_possible_truncation, reason = "the parts of a key are what they were made of")]
    pub(crate) fn sort(&mut self, row: usize, keys: &mut Vec<u64>) {
        let range = self.range(row);
        keys.clear();
        keys.extend(self.row(row).map(|(other, loss)| u64::from(loss) << 32 | u64::from(other)));
        keys.sort_unstable();
        for (at, key) in range.zip(keys.iter()) {
            self.others[at] = (key & u64::from(u32::MAX)) as u32;
            self.losses[at] = (key >> 32) as u16;
        }
    }
}
