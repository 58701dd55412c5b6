//! The admissible pairs, grouped by one side: compressed sparse rows in one flat array.

use crate::problem::{Invalid, Pair, Problem, SCORE_MAX};

/// The loss of a pair that is no longer admissible; such pairs stand at the end of their row.
pub(crate) const FORBIDDEN: u16 = u16::MAX;

/// How many pairs of a row are sorted at first: at least so many, and one in so many of a long row; then three times as many
/// as are sorted already.
const SORTED_AT_FIRST: usize = 8;
const SORTED_OF: usize = 128;
/// What is sorted as soon as it is read beyond those: to choose among so few would take longer.
const SORTED_AT_ONCE: usize = 64;

/// How many pairs the memory delivers at once.
const PAIRS_PER_LINE: usize = 8;

/// Per person of one side, the people of the other side and what the pair lacks to the best score.
///
/// Only as much of a row is sorted as was ever read in order: most of it never is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    /// One more than rows: where each begins.
    rows: Vec<Row>,
    /// Loss and other, so that numbers are in the order of the losses.
    pairs: Vec<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    start: u32,
    /// How many pairs stand in order at the beginning; none of the others has a lower loss.
    sorted: u32,
}

#[inline]
fn pack(other: u32, loss: u16) -> u64 {
    u64::from(loss) << 32 | u64::from(other)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the parts are what it was made of")]
fn unpack(pair: u64) -> (u32, u16) {
    (pair as u32, (pair >> 32) as u16)
}

impl Rows {
    /// Per executive, the candidates of a problem that is validated by the way: what is in the cache is copied and sorted.
    pub(crate) fn of_executives(problem: &Problem) -> Result<Self, Invalid> {
        let count = problem.executives.len();
        let mut rows =
            Self { rows: Vec::with_capacity(count + 1), pairs: Vec::with_capacity(problem.pairs.len()) };
        if problem.validate_with(|own| rows.append(own))? {
            rows.begin(count);
            return Ok(rows);
        }
        let pairs = problem.pairs.iter();
        Ok(Self::group(count, pairs.map(|pair| (pair.executive, pair.mentor, SCORE_MAX - pair.score))))
    }

    /// Appends the row of the next executive who has one.
    fn append(&mut self, own: &[Pair]) {
        let (start, row) = (self.pairs.len(), own[0].executive as usize);
        self.begin(row);
        self.pairs.extend(own.iter().map(|pair| pack(pair.mentor, SCORE_MAX - pair.score)));
        self.rows[row].sorted = sort_some(&mut self.pairs[start..], 0);
    }

    /// Begins all rows up to this one here.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a valid problem has no more pairs than 32 bits can count"
    )]
    fn begin(&mut self, row: usize) {
        let start = self.pairs.len() as u32;
        self.rows.resize(self.rows.len().max(row + 1), Row { start, sorted: 0 });
    }

    /// The same pairs by the other side: so many of each row, those with the least losses, as `lengths` says; what these
    /// leave out must not be asked for.
    pub(crate) fn transposed(&self, count: usize, lengths: &[u32]) -> Self {
        let rows = (0..).zip(lengths);
        let row = |(row, &length): (u32, &u32)| {
            let pairs = self.row(row as usize).take(length as usize);
            pairs.map(move |(other, loss)| (other, row, loss))
        };
        Self::group(count, rows.flat_map(row))
    }

    /// Rows of pairs in any order.
    fn group(count: usize, pairs: impl Iterator<Item = (u32, u32, u16)> + Clone) -> Self {
        let mut ends = vec![0_u32; count + 1];
        // The iterator runs the loops itself: those of nested rows are much faster so.
        pairs.clone().for_each(|(row, _, _)| ends[row as usize] += 1);
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        let rows = ends.iter().map(|&start| Row { start, sorted: 0 }).collect();
        let mut grouped = vec![0; sum as usize];
        pairs.for_each(|(row, other, loss)| {
            let end = &mut ends[row as usize];
            grouped[*end as usize] = pack(other, loss);
            *end += 1;
        });
        Self { rows, pairs: grouped }
    }

    #[inline]
    fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.rows[row].start as usize..self.rows[row + 1].start as usize
    }

    /// The others of one row with the losses, in no order but that those read in order before come first.
    #[inline]
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = (u32, u16)> + Clone + '_ {
        self.pairs[self.range(row)].iter().copied().map(unpack)
    }

    /// The others of one row with the losses, by rising loss.
    #[inline]
    pub(crate) fn scan(&mut self, row: usize) -> Scan<'_> {
        let range = self.range(row);
        Scan { pairs: &mut self.pairs[range], sorted: &mut self.rows[row].sorted, at: 0 }
    }

    /// The number of pairs.
    pub(crate) fn pairs(&self) -> u64 {
        self.pairs.len() as u64
    }

    /// Has the beginning of a row fetched from memory, so that it is there when it is read.
    #[inline]
    pub(crate) fn fetch(&self, row: usize) {
        let start = self.rows[row].start as usize;
        for line in [0, PAIRS_PER_LINE] {
            std::hint::black_box(self.pairs.get(start + line).copied());
        }
    }

    /// One pair, if it was admissible when the rows were made.
    pub(crate) fn find(&self, row: usize, other: usize) -> Option<(u32, u16)> {
        self.row(row).find(|pair| pair.0 as usize == other)
    }

    /// Changes the loss of a pair.
    pub(crate) fn set(&mut self, row: usize, other: u32, loss: u16) {
        let range = self.range(row);
        self.rows[row].sorted = 0;
        for pair in &mut self.pairs[range] {
            if unpack(*pair).0 == other {
                *pair = pack(other, loss);
            }
        }
    }
}

/// One row by rising loss, sorted as far as it is read.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    pairs: &'a mut [u64],
    sorted: &'a mut u32,
    at: usize,
}

impl Iterator for Scan<'_> {
    type Item = (u32, u16);

    #[inline]
    fn next(&mut self) -> Option<(u32, u16)> {
        if self.at == *self.sorted as usize {
            if self.at == self.pairs.len() {
                return None;
            }
            *self.sorted += sort_some(self.pairs, self.at);
        }
        let pair = *self.pairs.get(self.at)?;
        self.at += 1;
        Some(unpack(pair))
    }
}

/// Sorts some more pairs of a row, of which so many are sorted; returns how many.
#[cold]
#[expect(clippy::cast_possible_truncation, reason = "a row has no more pairs than there are")]
fn sort_some(pairs: &mut [u64], sorted: usize) -> u32 {
    let pairs = &mut pairs[sorted..];
    let few = if sorted == 0 { SORTED_AT_FIRST.max(pairs.len() / SORTED_OF) } else { 3 * sorted };
    if pairs.len() <= 2 * few || sorted > 0 && pairs.len() <= SORTED_AT_ONCE {
        pairs.sort_unstable();
        return pairs.len() as u32;
    }
    bring_forward(pairs, few);
    few as u32
}

/// Brings the least few to the front of more than twice as many and sorts them, in one pass: those that may be among them
/// gather in front, and whenever there are twice as many as wanted, the greater half falls back.
fn bring_forward(pairs: &mut [u64], few: usize) {
    let most = 2 * few;
    pairs[..most].sort_unstable();
    let (mut end, mut limit) = (few, pairs[few]);
    for at in most..pairs.len() {
        if pairs[at] >= limit {
            continue;
        }
        pairs.swap(at, end);
        end += 1;
        if end == most {
            pairs[..most].sort_unstable();
            (end, limit) = (few, pairs[few]);
        }
    }
    pairs[..end].sort_unstable();
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::problem::{Executive, Mentor};

    /// Two rows of these losses, the pairs grouped or not.
    fn problem(losses: &[u16], is_grouped: bool) -> Problem {
        let pair = |executive| {
            let pairs = (0..).zip(losses);
            pairs.map(move |(mentor, loss)| Pair { executive, mentor, score: SCORE_MAX - loss })
        };
        let mut pairs: Vec<Pair> = pair(0).chain(pair(2)).collect();
        if !is_grouped {
            pairs.sort_by_key(|pair| pair.mentor);
        }
        Problem {
            executives: (0..4).map(|key| Executive { key, obliged: true }).collect(),
            mentors: (0..).take(losses.len()).map(|key| Mentor { key, capacity: 1 }).collect(),
            pairs,
            ..Problem::default()
        }
    }

    proptest! {
        #[test]
        fn a_row_read_in_parts_is_in_order_and_complete(
            losses in vec(0..=SCORE_MAX, 0..3_000),
            parts in vec(0..3_000_usize, 0..4),
            is_grouped: bool,
        ) {
            let mut rows = Rows::of_executives(&problem(&losses, is_grouped)).unwrap();
            let mut sorted: Vec<u16> = losses.clone();
            sorted.sort_unstable();
            for part in parts.into_iter().chain([usize::MAX]) {
                let read: Vec<u16> = rows.scan(2).take(part).map(|pair| pair.1).collect();
                prop_assert_eq!(&read[..], &sorted[..part.min(sorted.len())]);
            }
            prop_assert!(rows.scan(0).all(|(mentor, loss)| losses[mentor as usize] == loss));
            prop_assert_eq!(rows.scan(0).count(), losses.len());
            prop_assert_eq!(rows.scan(1).count() + rows.scan(3).count(), 0);
        }

        #[test]
        fn a_pair_whose_loss_is_changed_finds_its_new_place(losses in vec(0..=SCORE_MAX, 1..300), loss: u16) {
            let mut rows = Rows::of_executives(&problem(&losses, true)).unwrap();
            rows.set(0, 0, loss);
            prop_assert!(rows.scan(0).is_sorted_by_key(|pair| pair.1));
            prop_assert_eq!(rows.find(0, 0), Some((0, loss)));
            prop_assert_eq!(rows.scan(0).count(), losses.len());
        }
    }
}
