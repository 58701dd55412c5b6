//! Exact questions to a market that is kept, each answered by one shortest path.

use crate::change::Refused;
use crate::cost::Cost;
use crate::engine::Engine;
use crate::market::NOBODY;
use crate::progress::{Cancelled, Progress};

/// What it would cost everybody if an executive could not keep their mentor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// The mentor they would have then, if any.
    pub mentor: Option<usize>,
    /// What all goals together lose; never below zero.
    pub loss: Cost,
}

/// The answers of an engine at the smallest prices; borrowed, so that nothing changes between two questions.
#[derive(Debug)]
pub struct WhatIf<'a, 'p>(&'a mut Engine<'p>);

impl<'p> Engine<'p> {
    /// Prepares for questions: finds the smallest prices, if they were not found since the last change.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if that was asked of the progress.
    pub fn what_if(&mut self, progress: &Progress) -> Result<WhatIf<'_, 'p>, Cancelled> {
        self.find_lowest(progress)?;
        Ok(WhatIf(self))
    }
}

impl WhatIf<'_, '_> {
    /// What everybody loses, goal by goal, if these two have to be a tandem: the cost of the best answer with that lock
    /// less the cost of the best one. `Cost::ZERO` if they are one already.
    ///
    /// # Errors
    ///
    /// [`Refused`] if they are no admissible pair, the executive is locked to another mentor, or the mentor's places are
    /// all locked to others.
    pub fn forced(&mut self, executive: usize, mentor: usize) -> Result<Cost, Refused> {
        let to = self.0.admissible(executive, mentor)?;
        let seat = self.0.market.seat_of(executive);
        if seat.mentor == to.0 {
            return Ok(Cost::ZERO);
        }
        if seat.locked {
            return Err(Refused::Locked { executive });
        }
        if self.0.market.places(mentor) == 0 {
            return Err(Refused::LockOverCapacity { mentor });
        }
        let executive = u32::try_from(executive).map_err(|_| Refused::Nobody)?;
        Ok(self.0.at_lowest(|search, market, effort| search.force(market, executive, to, effort)).into())
    }

    /// The best alternative to the mentor an executive has, and its price: the best answer without that pair.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the executive has no mentor or is locked.
    pub fn forbidden(&mut self, executive: usize) -> Result<Alternative, Refused> {
        self.0.check_executive(executive)?;
        let seat = self.0.market.seat_of(executive);
        if seat.locked {
            return Err(Refused::Locked { executive });
        }
        let index = u32::try_from(executive).map_err(|_| Refused::Nobody)?;
        if seat.mentor == NOBODY {
            return Err(Refused::Seatless { executive });
        }
        let (loss, mentor) = self.0.at_lowest(|search, market, effort| search.forbid(market, index, effort));
        Ok(Alternative { mentor: mentor.map(|mentor| mentor as usize), loss: loss.into() })
    }

    /// The reduced cost of a pair: everybody loses at least that much if the two have to be a tandem, and mostly more. It
    /// screens many pairs at a glance and is no price to be shown.
    ///
    /// # Errors
    ///
    /// [`Refused`] if they are no admissible pair.
    pub fn forced_at_least(&self, executive: usize, mentor: usize) -> Result<Cost, Refused> {
        let (index, loss) = self.0.admissible(executive, mentor)?;
        let (market, prices) = (&self.0.market, self.0.known_lowest());
        let cost = market.measure.pair(executive, index as usize, loss);
        Ok((cost + prices[mentor] - market.least_at(executive, prices)).into())
    }
}
