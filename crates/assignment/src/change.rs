//! What may change in a market that is kept, and the repair.

use crate::engine::Engine;
use crate::market::{Claim, NOBODY};
use crate::problem::SCORE_MAX;
use crate::rows::FORBIDDEN;

/// One change of a problem; people are named by the index they had when the problem was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A pair has another score, or `None` if it is no longer admissible. Only pairs of the original problem can come back.
    Score {
        /// Index of the executive.
        executive: usize,
        /// Index of the mentor.
        mentor: usize,
        /// 0 to [`SCORE_MAX`], or none.
        score: Option<u16>,
    },
    /// A mentor has another number of places; 0 for a mentor who is gone.
    Capacity {
        /// Index of the mentor.
        mentor: usize,
        /// All places, those of locked pairs included.
        capacity: u32,
    },
    /// An executive has to sit with this mentor, or with nobody in particular.
    Lock {
        /// Index of the executive.
        executive: usize,
        /// Index of the mentor, or none.
        mentor: Option<usize>,
    },
    /// An executive is obliged, takes part of their own will, or not at all (`None`); a lock ends in the last case.
    Part {
        /// Index of the executive.
        executive: usize,
        /// Whether obliged.
        obliged: Option<bool>,
    },
}

/// Why a change is refused; nothing was changed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such executive or mentor.
    #[error("there is no executive or mentor of this index")]
    Nobody,
    /// The two are no admissible pair.
    #[error("executive {executive} and mentor {mentor} are not an admissible pair")]
    NoPair {
        /// Index of the executive.
        executive: usize,
        /// Index of the mentor.
        mentor: usize,
    },
    /// The score is above [`SCORE_MAX`].
    #[error("the score {0} is over {SCORE_MAX}")]
    Score(u16),
    /// The mentor would have more locks than places.
    #[error("mentor {mentor} would have more locks than places")]
    LockOverCapacity {
        /// Index of the mentor.
        mentor: usize,
    },
    /// An executive has a mentor already.
    #[error("executive {executive} has a mentor")]
    Seated {
        /// Index of the executive.
        executive: usize,
    },
    /// An executive has no mentor to begin with.
    #[error("executive {executive} has no mentor")]
    Seatless {
        /// Index of the executive.
        executive: usize,
    },
    /// An executive is locked, and what is asked would break that.
    #[error("executive {executive} is locked")]
    Locked {
        /// Index of the executive.
        executive: usize,
    },
}

impl Engine<'_> {
    /// Changes the problem and repairs the optimum: the answer is the same as that of a solve from nothing.
    ///
    /// Whatever changes, prices ≥ 0 remain a valid beginning: who does not sit at their best any more stands up and is
    /// admitted anew, and places left with a price are offered; each takes one shortest path.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the change contradicts the problem; nothing is changed then.
    pub fn apply(&mut self, change: Change) -> Result<(), Refused> {
        match change {
            Change::Score { executive, mentor, score } => self.set_score(executive, mentor, score)?,
            Change::Capacity { mentor, capacity } => self.set_capacity(mentor, capacity)?,
            Change::Lock { executive, mentor: Some(mentor) } => self.lock(executive, mentor)?,
            Change::Lock { executive, mentor: None } => {
                self.check_executive(executive)?;
                self.unlock(executive);
            }
            Change::Part { executive, obliged } => self.set_part(executive, obliged)?,
        }
        self.repair();
        Ok(())
    }

    pub(crate) fn check_executive(&self, executive: usize) -> Result<(), Refused> {
        if executive < self.market.executives() { Ok(()) } else { Err(Refused::Nobody) }
    }

    /// The loss of a pair that is admissible now.
    pub(crate) fn admissible(&self, executive: usize, mentor: usize) -> Result<(u32, u16), Refused> {
        self.check_executive(executive)?;
        let takes_part = self.market.claim(executive) != Claim::Gone;
        let pair = self.market.rows.find(executive, mentor);
        pair.filter(|pair| takes_part && pair.1 != FORBIDDEN).ok_or(Refused::NoPair { executive, mentor })
    }

    fn set_score(&mut self, executive: usize, mentor: usize, score: Option<u16>) -> Result<(), Refused> {
        self.check_executive(executive)?;
        if let Some(score) = score.filter(|&score| score > SCORE_MAX) {
            return Err(Refused::Score(score));
        }
        let (index, _) =
            self.market.rows.find(executive, mentor).ok_or(Refused::NoPair { executive, mentor })?;
        let loss = score.map_or(FORBIDDEN, |score| SCORE_MAX - score);
        let seat = self.market.seat_of(executive);
        let sits_here = seat.mentor == index;
        if sits_here && seat.locked && score.is_none() {
            return Err(Refused::Locked { executive });
        }
        self.market.rows.set(executive, index, loss);
        if let (Some(columns), Ok(executive)) = (&mut self.columns, u32::try_from(executive)) {
            columns.set(mentor, executive, loss);
        }
        if seat.locked {
            if sits_here {
                self.market.relock(executive, loss);
            }
            return Ok(());
        }
        // Whoever sits elsewhere stays there unless this pair is better now.
        if sits_here || self.would_rather(executive, mentor, loss) {
            self.unseat(executive);
        }
        Ok(())
    }

    fn would_rather(&self, executive: usize, mentor: usize, loss: u16) -> bool {
        let asked = self.market.measure.pair(executive, mentor, loss) + self.market.prices[mentor];
        let seat = self.market.seat_of(executive);
        loss != FORBIDDEN && (seat.mentor == NOBODY || asked < self.market.least(executive))
    }

    fn set_capacity(&mut self, mentor: usize, capacity: u32) -> Result<(), Refused> {
        let Ok(index) = u32::try_from(mentor) else { return Err(Refused::Nobody) };
        if mentor >= self.market.mentors() {
            return Err(Refused::Nobody);
        }
        if capacity < self.market.locked(mentor) {
            return Err(Refused::LockOverCapacity { mentor });
        }
        self.market.set_capacity(mentor, capacity);
        self.touched.push(index);
        self.evict(mentor);
        Ok(())
    }

    fn lock(&mut self, executive: usize, mentor: usize) -> Result<(), Refused> {
        let (index, loss) = self.admissible(executive, mentor)?;
        let seat = self.market.seat_of(executive);
        if seat.locked && seat.mentor == index {
            return Ok(());
        }
        if self.market.places(mentor) == 0 {
            return Err(Refused::LockOverCapacity { mentor });
        }
        self.unlock(executive);
        self.unseat(executive);
        self.standing.clear();
        self.market.lock(executive, index, loss);
        self.evict(mentor);
        Ok(())
    }

    /// Lets those stand up who have no place any more.
    fn evict(&mut self, mentor: usize) {
        while let Some(executive) = self.market.one_too_many(mentor) {
            self.unseat(executive as usize);
        }
    }

    fn unlock(&mut self, executive: usize) {
        let seat = self.market.seat_of(executive);
        if seat.locked {
            self.market.unlock(executive);
            self.touched.push(seat.mentor);
            self.standing.extend(u32::try_from(executive));
        }
    }

    fn set_part(&mut self, executive: usize, obliged: Option<bool>) -> Result<(), Refused> {
        self.check_executive(executive)?;
        if obliged.is_none() {
            self.unlock(executive);
        }
        let claim = match obliged {
            Some(true) => Claim::Obliged,
            Some(false) => Claim::Willing,
            None => Claim::Gone,
        };
        if !self.market.seat_of(executive).locked {
            self.unseat(executive);
        }
        self.market.set_claim(executive, claim);
        Ok(())
    }

    /// Lets an executive who is not locked stand up, to be admitted by the repair.
    fn unseat(&mut self, executive: usize) {
        let Ok(index) = u32::try_from(executive) else { return };
        let left = self.market.stand_up(index);
        if left != NOBODY {
            self.touched.push(left);
        }
        self.standing.push(index);
    }

    /// Admits whoever stands and offers what they left.
    fn repair(&mut self) {
        self.lowest = None;
        while let Some(executive) = self.standing.pop() {
            let seat = self.market.seat_of(executive as usize);
            if seat.mentor == NOBODY && self.market.claim(executive as usize) != Claim::Gone {
                self.search.admit(&mut self.market, executive, &mut self.effort);
            }
        }
        let mut touched = std::mem::take(&mut self.touched);
        touched.retain(|&mentor| self.is_asked(mentor));
        self.touched = touched;
        if self.touched.is_empty() {
            return;
        }
        let columns = self.take_columns();
        while let Some(mentor) = self.touched.pop() {
            self.fill(mentor, &columns);
        }
        self.columns = Some(columns);
    }
}
