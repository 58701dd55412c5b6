//! The admissible pairs by mentor.

use crate::rows::{Rows, pack, unpack};

/// Per mentor, the executives and what the pair lacks to the best score: compressed sparse columns in one flat array.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    /// Where each column begins; one more for the end.
    starts: Vec<u32>,
    pairs: Vec<u64>,
}

impl Columns {
    /// All pairs of the rows.
    pub(crate) fn of(rows: &Rows<'_>, executives: usize, mentors: usize) -> Self {
        Self::group(
            mentors,
            (0..).take(executives).flat_map(|executive| {
                rows.row(executive as usize).map(move |(mentor, loss)| (mentor, executive, loss))
            }),
        )
    }

    /// So many pairs of each row, those with the least losses, which were read before; what these leave out must not be asked
    /// for.
    pub(crate) fn of_best(rows: &Rows<'_>, mentors: usize, lengths: &[u32]) -> Self {
        Self::group(
            mentors,
            (0..).zip(lengths).flat_map(|(executive, &length): (u32, _)| {
                let pairs = rows.known(executive as usize).take(length as usize);
                pairs.map(move |(mentor, loss)| (mentor, executive, loss))
            }),
        )
    }

    /// Columns of pairs in any order.
    fn group(count: usize, pairs: impl Iterator<Item = (u32, u32, u16)> + Clone) -> Self {
        let mut ends = vec![0_u32; count + 1];
        // The iterator runs the loops itself: those of nested rows are much faster so.
        pairs.clone().for_each(|(mentor, _, _)| ends[mentor as usize] += 1);
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        let starts = ends.clone();
        let mut grouped = vec![0; sum as usize];
        pairs.for_each(|(mentor, executive, loss)| {
            let end = &mut ends[mentor as usize];
            grouped[*end as usize] = pack(executive, loss);
            *end += 1;
        });
        Self { starts, pairs: grouped }
    }

    #[inline]
    fn range(&self, mentor: usize) -> std::ops::Range<usize> {
        self.starts[mentor] as usize..self.starts[mentor + 1] as usize
    }

    /// The executives of one column with the losses, in no order.
    #[inline]
    pub(crate) fn column(&self, mentor: usize) -> impl Iterator<Item = (u32, u16)> + Clone + '_ {
        self.pairs[self.range(mentor)].iter().copied().map(unpack)
    }

    /// Changes the loss of a pair.
    pub(crate) fn set(&mut self, mentor: usize, executive: u32, loss: u16) {
        let range = self.range(mentor);
        for pair in &mut self.pairs[range] {
            if unpack(*pair).0 == executive {
                *pair = pack(executive, loss);
            }
        }
    }
}
