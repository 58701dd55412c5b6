//! What is asked: people, places, admissible pairs, locks and bands.

use std::collections::HashSet;

/// The best score a pair can have.
pub const SCORE_MAX: u16 = 10_000;

/// The most fairness bands a problem may have.
pub const BANDS_MAX: usize = 4;

/// The most executives a problem may have; the bound keeps all sums within 64 bits.
pub const EXECUTIVES_MAX: usize = 1 << 19;

/// The most mentors, and the most pairs, a problem may have, so that an index of 32 bits tells apart twice as many.
pub const LISTED_MAX: usize = 1 << 31;

/// An assignment problem; executives and mentors are named by their index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// The people who need a mentor, one place each.
    pub executives: Vec<Executive>,
    /// The people who offer places.
    pub mentors: Vec<Mentor>,
    /// The admissible pairs, each at most once, in any order.
    pub pairs: Vec<Pair>,
    /// Pairs (executive, mentor) that must be part of the answer.
    pub locks: Vec<(usize, usize)>,
    /// Scores below which a pair is unfair, ascending, at most [`BANDS_MAX`]; empty for no fairness goal.
    pub bands: Vec<u16>,
}

/// One who needs a mentor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Executive {
    /// Stable and unique among executives; decides between equally good answers.
    pub key: u64,
    /// Whether this executive comes before those who take part of their own will.
    pub obliged: bool,
}

/// One who offers places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mentor {
    /// Stable and unique among mentors; decides between equally good answers.
    pub key: u64,
    /// Places offered; 0 is allowed.
    pub capacity: u32,
}

/// An executive and a mentor who may become a tandem; ten bytes without a gap, as there are many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(Rust, packed(2))]
pub struct Pair {
    /// Index into [`Problem::executives`].
    pub executive: u32,
    /// Index into [`Problem::mentors`].
    pub mentor: u32,
    /// How well the two fit, 0 to [`SCORE_MAX`].
    pub score: u16,
}

/// Why a problem cannot be solved as it stands; indices point into its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// There are more executives than [`EXECUTIVES_MAX`].
    #[error("{count} executives are more than {EXECUTIVES_MAX}")]
    Executives {
        /// How many there are.
        count: usize,
    },
    /// There are more mentors or more pairs than [`LISTED_MAX`].
    #[error("{count} {what} are more than {LISTED_MAX}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        count: usize,
    },
    /// A band is not above the one before it, is above [`SCORE_MAX`], or is one too many.
    #[error(
        "band {band} is not above the one before, is over {SCORE_MAX}, or is one of more than {BANDS_MAX}"
    )]
    Band {
        /// Index of the band.
        band: usize,
    },
    /// Two executives have the same key.
    #[error("executives {first} and {second} have the same key")]
    ExecutiveKey {
        /// Index of the one.
        first: usize,
        /// Index of the other.
        second: usize,
    },
    /// Two mentors have the same key.
    #[error("mentors {first} and {second} have the same key")]
    MentorKey {
        /// Index of the one.
        first: usize,
        /// Index of the other.
        second: usize,
    },
    /// A pair names an executive or a mentor who does not exist.
    #[error("pair {pair} names somebody who does not exist")]
    PairIndex {
        /// Index of the pair.
        pair: usize,
    },
    /// A pair's score is above [`SCORE_MAX`].
    #[error("pair {pair} has the score {score}, over {SCORE_MAX}")]
    Score {
        /// Index of the pair.
        pair: usize,
        /// Its score.
        score: u16,
    },
    /// The same two people are listed twice.
    #[error("pairs {first} and {second} name the same two people")]
    PairRepeated {
        /// Index of the one.
        first: usize,
        /// Index of the other.
        second: usize,
    },
    /// A lock is not among the admissible pairs.
    #[error("lock {lock} is not an admissible pair")]
    LockNoPair {
        /// Index of the lock.
        lock: usize,
    },
    /// An executive is locked more than once.
    #[error("lock {lock} names an executive who is locked already")]
    LockRepeated {
        /// Index of the second lock.
        lock: usize,
    },
    /// A mentor has more locks than places.
    #[error("lock {lock} needs a place that the mentor does not have")]
    LockOverCapacity {
        /// Index of the first lock that is too many.
        lock: usize,
    },
}

impl Problem {
    /// Checks everything that [`solve()`](crate::solve()) relies on.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the first thing found to be wrong.
    pub fn validate(&self) -> Result<(), Invalid> {
        self.validate_with(|_| ()).map(|_| ())
    }

    /// The same, and shows all pairs of one executive after the other at the moment when they are read; tells whether
    /// they are in that order. Whatever was shown is void otherwise.
    pub(crate) fn validate_with(&self, show: impl FnMut(&[Pair])) -> Result<bool, Invalid> {
        if self.executives.len() > EXECUTIVES_MAX {
            return Err(Invalid::Executives { count: self.executives.len() });
        }
        for (what, count) in [("mentors", self.mentors.len()), ("pairs", self.pairs.len())] {
            if count > LISTED_MAX {
                return Err(Invalid::TooMany { what, count });
            }
        }
        self.validate_bands()?;
        if let Some((first, second)) = repeated(self.executives.iter().map(|executive| executive.key)) {
            return Err(Invalid::ExecutiveKey { first, second });
        }
        if let Some((first, second)) = repeated(self.mentors.iter().map(|mentor| mentor.key)) {
            return Err(Invalid::MentorKey { first, second });
        }
        let is_grouped = self.validate_pairs(show)?;
        self.validate_locks()?;
        Ok(is_grouped)
    }

    fn validate_bands(&self) -> Result<(), Invalid> {
        let mut below = 0;
        for (band, &limit) in self.bands.iter().enumerate() {
            if limit <= below || limit > SCORE_MAX || band >= BANDS_MAX {
                return Err(Invalid::Band { band });
            }
            below = limit;
        }
        Ok(())
    }

    fn validate_pairs(&self, mut show: impl FnMut(&[Pair])) -> Result<bool, Invalid> {
        // Per mentor, the last executive; no executive has the index that stands for nobody.
        let mut last_with = Vec::new();
        let (mut first, mut last, mut is_grouped) = (0, 0, true);
        while let Some(own) = self.pairs.get(first..).filter(|rest| !rest.is_empty()) {
            let (length, is_ascending) = self.row(own);
            let (own, executive) = (&own[..length], own[0].executive);
            if executive as usize >= self.executives.len() {
                return Err(Invalid::PairIndex { pair: first });
            }
            is_grouped &= last <= executive;
            last = executive;
            if !is_ascending {
                last_with.resize(self.mentors.len(), u32::MAX);
                self.validate_row(first, own, &mut last_with, is_grouped)?;
            }
            first += length;
            if is_grouped {
                show(own);
            }
        }
        if is_grouped {
            return Ok(true);
        }
        let mut order: Vec<u32> = (0..).take(self.pairs.len()).collect();
        order.sort_by_key(|&pair| self.pairs[pair as usize].executive);
        last_with.clear();
        last_with.resize(self.mentors.len(), u32::MAX);
        for pair in order {
            let Pair { executive, mentor, .. } = self.pairs[pair as usize];
            if std::mem::replace(&mut last_with[mentor as usize], executive) == executive {
                return Err(self.repeated(pair as usize));
            }
        }
        Ok(false)
    }

    /// The number of pairs at the beginning that are of the same executive, and whether their mentors ascend, so that none is
    /// repeated, and nothing else is wrong with them.
    fn row(&self, pairs: &[Pair]) -> (usize, bool) {
        let executive = pairs[0].executive;
        // The mentor that may come next at the least.
        let (mut length, mut next, mut is_ascending) = (0, 0, true);
        for pair in pairs {
            if pair.executive != executive {
                break;
            }
            is_ascending &= u64::from(pair.mentor) >= next;
            is_ascending &= pair.score <= SCORE_MAX;
            next = u64::from(pair.mentor) + 1;
            length += 1;
        }
        (length, is_ascending && next <= self.mentors.len() as u64)
    }

    /// Validates the pairs of one executive in any order, the first of which has this index.
    fn validate_row(
        &self,
        first: usize,
        own: &[Pair],
        last_with: &mut [u32],
        is_grouped: bool,
    ) -> Result<(), Invalid> {
        for (pair, &Pair { executive, mentor, score }) in (first..).zip(own) {
            let with = last_with.get_mut(mentor as usize).ok_or(Invalid::PairIndex { pair })?;
            if score > SCORE_MAX {
                return Err(Invalid::Score { pair, score });
            }
            if std::mem::replace(with, executive) == executive && is_grouped {
                return Err(self.repeated(pair));
            }
        }
        Ok(())
    }

    fn repeated(&self, second: usize) -> Invalid {
        let people = |pair: &Pair| (pair.executive, pair.mentor);
        let is_same = |pair: &Pair| people(pair) == people(&self.pairs[second]);
        Invalid::PairRepeated { first: self.pairs.iter().position(is_same).unwrap_or(second), second }
    }

    fn validate_locks(&self) -> Result<(), Invalid> {
        if self.locks.is_empty() {
            return Ok(());
        }
        let locks: HashSet<_> = self.locks.iter().copied().collect();
        let people = self.pairs.iter().map(|pair| (pair.executive as usize, pair.mentor as usize));
        let admissible: HashSet<_> = people.filter(|pair| locks.contains(pair)).collect();
        let mut locked = HashSet::with_capacity(locks.len());
        let mut places: Vec<u32> = self.mentors.iter().map(|mentor| mentor.capacity).collect();
        for (lock, &(executive, mentor)) in self.locks.iter().enumerate() {
            if !admissible.contains(&(executive, mentor)) {
                return Err(Invalid::LockNoPair { lock });
            }
            if !locked.insert(executive) {
                return Err(Invalid::LockRepeated { lock });
            }
            places[mentor] = places[mentor].checked_sub(1).ok_or(Invalid::LockOverCapacity { lock })?;
        }
        Ok(())
    }
}

/// The indices of two equal keys, the lower one first.
fn repeated(keys: impl Iterator<Item = u64> + Clone) -> Option<(usize, usize)> {
    if keys.clone().is_sorted_by(|one, next| one < next) {
        return None;
    }
    let mut sorted: Vec<u64> = keys.clone().collect();
    sorted.sort_unstable();
    let twice = sorted.windows(2).find(|two| two[0] == two[1])?[0];
    let mut indices = keys.enumerate().filter(|&(_, key)| key == twice).map(|(index, _)| index);
    indices.next().zip(indices.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_by_two() -> Problem {
        Problem {
            executives: (0..2).map(|key| Executive { key, obliged: true }).collect(),
            mentors: (0..2).map(|key| Mentor { key, capacity: 1 }).collect(),
            pairs: [(0_u32, 0_u32), (0, 1), (1, 0)]
                .map(|(executive, mentor)| Pair { executive, mentor, score: 5_000 })
                .to_vec(),
            locks: Vec::new(),
            bands: vec![2_000, 3_000],
        }
    }

    #[track_caller]
    fn assert_invalid(spoil: impl FnOnce(&mut Problem), expected: Invalid) {
        let mut problem = two_by_two();
        assert_eq!(problem.validate(), Ok(()));
        spoil(&mut problem);
        assert_eq!(problem.validate(), Err(expected));
    }

    #[test]
    fn a_wrong_pair_is_named() {
        assert_invalid(|p| p.pairs[1].score = 10_001, Invalid::Score { pair: 1, score: 10_001 });
        assert_invalid(|p| p.pairs[2].executive = 2, Invalid::PairIndex { pair: 2 });
        assert_invalid(|p| p.pairs[2].mentor = 2, Invalid::PairIndex { pair: 2 });
        assert_invalid(|p| p.pairs[1].mentor = 0, Invalid::PairRepeated { first: 0, second: 1 });
    }

    #[test]
    fn a_pair_listed_twice_is_named_in_any_order_of_the_pairs() {
        let again = |p: &mut Problem| p.pairs.push(p.pairs[0]);
        assert_invalid(again, Invalid::PairRepeated { first: 0, second: 3 });
    }

    #[test]
    fn a_wrong_lock_is_named() {
        assert_invalid(|p| p.locks = vec![(1, 1)], Invalid::LockNoPair { lock: 0 });
        assert_invalid(|p| p.locks = vec![(9, 9)], Invalid::LockNoPair { lock: 0 });
        assert_invalid(|p| p.locks = vec![(0, 0), (0, 1)], Invalid::LockRepeated { lock: 1 });
        assert_invalid(|p| p.locks = vec![(0, 0), (1, 0)], Invalid::LockOverCapacity { lock: 1 });
    }

    #[test]
    fn a_wrong_band_is_named() {
        assert_invalid(|p| p.bands = vec![0], Invalid::Band { band: 0 });
        assert_invalid(|p| p.bands = vec![3_000, 3_000], Invalid::Band { band: 1 });
        assert_invalid(|p| p.bands = vec![3_000, 10_001], Invalid::Band { band: 1 });
        assert_invalid(|p| p.bands = vec![1, 2, 3, 4, 5], Invalid::Band { band: 4 });
    }

    #[test]
    fn a_repeated_key_is_named() {
        assert_invalid(|p| p.executives[1].key = 0, Invalid::ExecutiveKey { first: 0, second: 1 });
        assert_invalid(|p| p.mentors[1].key = 0, Invalid::MentorKey { first: 0, second: 1 });
    }
}
