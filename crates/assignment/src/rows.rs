//! The admissible pairs by executive: the problem's own list, and in order as much of each row as was ever read in order.

use std::borrow::Cow;

use crate::problem::{Invalid, Pair, Problem, SCORE_MAX};

/// The loss of a pair that is no longer admissible; such pairs stand at the end of their row.
pub(crate) const FORBIDDEN: u16 = u16::MAX;

/// How many pairs of a row are sorted at first: at least so many, and one in so many of a long row; then three times as many
/// as are sorted already.
const SORTED_AT_FIRST: usize = 4;
const SORTED_OF: usize = 128;
/// What is sorted as soon as it is read beyond those: to choose among so few would take longer.
const SORTED_AT_ONCE: usize = 64;
/// Where there are fewer than so many places for each executive, they are contested, and most rows will be read so far.
const SLACK: u64 = 2;

/// How many sorted pairs the memory delivers at once.
const PAIRS_PER_LINE: usize = 8;

/// Per executive, the mentors and what the pair lacks to the best score.
///
/// The pairs stay in the problem, which is only read. The best of each row are copied and sorted, as many as anybody asks
/// for; most are never asked for.
#[derive(Clone, Debug)]
pub(crate) struct Rows<'p> {
    /// All pairs, those of an executive together.
    pairs: Cow<'p, [Pair]>,
    /// Per executive, where the row begins in `pairs`; one more for the end.
    starts: Vec<u32>,
    /// Per executive, the part of `sorted` that is the beginning of the row in order.
    heads: Vec<Head>,
    /// Pairs so packed that numbers are in the order of the losses.
    sorted: Vec<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Head {
    start: u32,
    length: u32,
}

#[inline]
pub(crate) fn pack(other: u32, loss: u16) -> u64 {
    u64::from(loss) << 32 | u64::from(other)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the parts are what it was made of")]
pub(crate) fn unpack(pair: u64) -> (u32, u16) {
    (pair as u32, (pair >> 32) as u16)
}

#[inline]
fn packed(pair: &Pair) -> u64 {
    pack(pair.mentor, SCORE_MAX - pair.score)
}

/// An index of what a valid problem has.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "twice the most pairs of a valid problem are within 32 bits"
)]
fn index(index: usize) -> u32 {
    index as u32
}

impl<'p> Rows<'p> {
    /// The candidates of a problem that is validated by the way: what is in the cache is sorted at once.
    pub(crate) fn new(problem: &'p Problem) -> Result<Self, Invalid> {
        let count = problem.executives.len();
        let places: u64 = problem.mentors.iter().map(|mentor| u64::from(mentor.capacity)).sum();
        let at_first = if places < SLACK * count as u64 { SORTED_AT_ONCE } else { 0 };
        let mut rows = Self::empty(Cow::Borrowed(&problem.pairs), count, at_first);
        if problem.validate_with(|own| rows.append(own, at_first))? {
            rows.pad(count);
            return Ok(rows);
        }
        let pairs = grouped(problem);
        let mut rows = Self::empty(Cow::Borrowed(&[]), count, 0);
        pairs
            .chunk_by(|one, next| one.executive == next.executive)
            .for_each(|own| rows.append(own, at_first));
        rows.pad(count);
        rows.pairs = Cow::Owned(pairs);
        Ok(rows)
    }

    fn empty(pairs: Cow<'p, [Pair]>, count: usize, at_first: usize) -> Self {
        let few = if at_first > 0 { pairs.len() } else { SORTED_AT_FIRST * count.min(pairs.len()) };
        let sorted = Vec::with_capacity(few);
        let mut starts = Vec::with_capacity(count + 1);
        starts.push(0);
        Self { pairs, starts, heads: Vec::with_capacity(count), sorted }
    }

    /// Appends the row of the next executive who has one, of which all is sorted if it is no longer than `at_first`.
    fn append(&mut self, own: &[Pair], at_first: usize) {
        let row = own[0].executive as usize;
        self.pad(row);
        let few = SORTED_AT_FIRST.max(own.len() / SORTED_OF);
        let few = if own.len() <= at_first.max(2 * few) { own.len() } else { few };
        let start = self.sorted.len();
        append_least(&mut self.sorted, few, own, None);
        self.heads.push(Head { start: index(start), length: index(few) });
        self.starts.push(self.starts[row] + index(own.len()));
    }

    /// Lets all rows before this one be empty that are not there yet.
    fn pad(&mut self, row: usize) {
        let end = self.starts.last().copied().unwrap_or_default();
        self.starts.resize(row + 1, end);
        self.heads.resize(row, Head::default());
    }

    /// The number of pairs.
    pub(crate) fn pairs(&self) -> u64 {
        self.pairs.len() as u64
    }

    #[inline]
    fn own(&self, row: usize) -> &[Pair] {
        &self.pairs[self.starts[row] as usize..self.starts[row + 1] as usize]
    }

    /// As much of a row as is in order.
    #[inline]
    fn head(&self, row: usize) -> &[u64] {
        let Head { start, length } = self.heads[row];
        &self.sorted[start as usize..][..length as usize]
    }

    /// The mentors of one row with the losses; in order up to where it was read in order before, if that is `in_order`.
    fn row_of(&self, row: usize, in_order: bool) -> impl Iterator<Item = (u32, u16)> + Clone + '_ {
        // What a row has lost or got by a change is known to its head alone, which then is the whole of it.
        let (head, own) = (self.head(row), self.own(row));
        let (head, own) =
            if in_order || head.len() == own.len() { (head, &own[..0]) } else { (&head[..0], own) };
        head.iter().copied().chain(own.iter().map(packed)).map(unpack)
    }

    /// The mentors of one row with the losses, in any order.
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = (u32, u16)> + Clone + '_ {
        self.row_of(row, false)
    }

    /// The mentors of one row with the losses, by rising loss, as far as they were read so before.
    pub(crate) fn known(&self, row: usize) -> impl Iterator<Item = (u32, u16)> + Clone + '_ {
        self.row_of(row, true)
    }

    /// The mentors of one row with the losses, by rising loss.
    #[inline]
    pub(crate) fn scan(&mut self, row: usize) -> Scan<'_> {
        let own = &self.pairs[self.starts[row] as usize..self.starts[row + 1] as usize];
        Scan { own, sorted: &mut self.sorted, head: &mut self.heads[row], at: 0 }
    }

    /// Has the beginning of a row fetched from memory, so that it is there when it is read.
    #[inline]
    pub(crate) fn fetch(&self, row: usize) {
        let start = self.heads[row].start as usize;
        for line in [0, PAIRS_PER_LINE] {
            std::hint::black_box(self.sorted.get(start + line).copied());
        }
    }

    /// The best mentor of a row, if that is known already.
    #[inline]
    pub(crate) fn first(&self, row: usize) -> Option<u32> {
        let Head { start, length } = self.heads[row];
        let first = self.sorted.get(start as usize).filter(|_| length > 0);
        first.map(|&pair| unpack(pair).0)
    }

    /// One pair, if it was admissible when the rows were made.
    pub(crate) fn find(&self, row: usize, other: usize) -> Option<(u32, u16)> {
        self.row(row).find(|pair| pair.0 as usize == other)
    }

    /// Changes the loss of a pair.
    pub(crate) fn set(&mut self, row: usize, other: u32, loss: u16) {
        self.scan(row).all(|_| true);
        let Head { start, length } = self.heads[row];
        let head = &mut self.sorted[start as usize..][..length as usize];
        for pair in &mut *head {
            if unpack(*pair).0 == other {
                *pair = pack(other, loss);
            }
        }
        head.sort_unstable();
    }
}

/// The pairs of a problem in the order of the executives.
fn grouped(problem: &Problem) -> Vec<Pair> {
    let mut pairs = problem.pairs.clone();
    pairs.sort_by_key(|pair| pair.executive);
    pairs
}

/// One row by rising loss, sorted as far as it is read.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    own: &'a [Pair],
    sorted: &'a mut Vec<u64>,
    head: &'a mut Head,
    at: u32,
}

impl Iterator for Scan<'_> {
    type Item = (u32, u16);

    #[inline]
    fn next(&mut self) -> Option<(u32, u16)> {
        if self.at == self.head.length {
            if self.at as usize == self.own.len() {
                return None;
            }
            *self.head = lengthen(self.sorted, *self.head, self.own);
        }
        let pair = *self.sorted.get((self.head.start + self.at) as usize)?;
        self.at += 1;
        Some(unpack(pair))
    }
}

/// Sorts some more pairs of a row: its head moves to where there is room for them.
#[cold]
fn lengthen(sorted: &mut Vec<u64>, Head { start, length }: Head, own: &[Pair]) -> Head {
    let (known, begun) = (start as usize..(start + length) as usize, sorted.len());
    sorted.extend_from_within(known);
    let last = sorted.last().copied().filter(|_| length > 0);
    let rest = own.len() - length as usize;
    let few = 3 * length as usize;
    let few = if rest <= 2 * few || rest <= SORTED_AT_ONCE { rest } else { few };
    append_least(sorted, few, own, last);
    Head { start: index(begun), length: index(sorted.len() - begun) }
}

/// Appends the least few pairs of a row that are beyond `last` in order, in one pass.
fn append_least(sorted: &mut Vec<u64>, few: usize, own: &[Pair], last: Option<u64>) {
    if few == SORTED_AT_FIRST && last.is_none() && few < own.len() {
        sorted.extend(least::<SORTED_AT_FIRST>(own));
    } else {
        gather_least(sorted, few, own, last);
    }
}

/// The least pairs of a longer row in order: each pair takes its place among those so far, without a branch.
#[inline]
fn least<const FEW: usize>(own: &[Pair]) -> [u64; FEW] {
    let mut least = [u64::MAX; FEW];
    for pair in own {
        let mut greater = packed(pair);
        for place in &mut least {
            (*place, greater) = ((*place).min(greater), (*place).max(greater));
        }
    }
    least
}

/// Gathers: whenever twice as many are there, the greater half is let go.
fn gather_least(sorted: &mut Vec<u64>, few: usize, own: &[Pair], last: Option<u64>) {
    let begun = sorted.len();
    let (mut limit, mut least_score) = (u64::MAX, 0);
    for pair in own {
        // Most pairs of a long row are out by their score alone.
        if pair.score < least_score {
            continue;
        }
        let pair = packed(pair);
        if pair >= limit || last.is_some_and(|last| pair <= last) {
            continue;
        }
        sorted.push(pair);
        if sorted.len() - begun == 2 * few {
            sorted[begun..].sort_unstable();
            limit = sorted[begun + few];
            least_score = SCORE_MAX - unpack(limit).1;
            sorted.truncate(begun + few);
        }
    }
    sorted[begun..].sort_unstable();
    sorted.truncate(begun + few);
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
            let problem = problem(&losses, is_grouped);
            let mut rows = Rows::new(&problem).unwrap();
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
            let problem = problem(&losses, true);
            let mut rows = Rows::new(&problem).unwrap();
            rows.set(0, 0, loss);
            prop_assert!(rows.scan(0).is_sorted_by_key(|pair| pair.1));
            prop_assert_eq!(rows.find(0, 0), Some((0, loss)));
            prop_assert_eq!(rows.scan(0).count(), losses.len());
        }
    }
}
