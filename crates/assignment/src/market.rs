//! The state of the search: who sits where, and at which prices.

use crate::prices::Prices;
use crate::problem::{Executive, Invalid, Problem};
use crate::rows::Rows;
use crate::value::{Measure, Value};

/// No mentor, no executive: the end of a list.
pub(crate) const NOBODY: u32 = u32::MAX;

/// Who sits where and is locked there, and the places that are left.
#[derive(Clone, Debug)]
pub(crate) struct Market<'p> {
    pub(crate) measure: Measure,
    /// Per executive, the candidates.
    pub(crate) rows: Rows<'p>,
    /// Per executive, what is promised.
    pub(crate) claims: Vec<Claim>,
    /// Per executive, the seat.
    seats: Vec<Seat>,
    /// Per mentor, the places.
    pub(crate) desks: Vec<Desk>,
    pub(crate) prices: Prices,
    /// Per executive, points that what they have does not reach; empty until somebody needs them.
    pub(crate) ceilings: Vec<i32>,
}

/// What it costs to leave an executive out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Obliged to take part.
    Obliged,
    /// Takes part of their own will.
    Willing,
    /// Does not take part at all: a place is worth nothing to them.
    Gone,
}

/// Where an executive sits; the executives with one mentor form a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    /// The mentor, or [`NOBODY`].
    pub(crate) mentor: u32,
    /// What the pair lacks to the best score.
    pub(crate) loss: u16,
    /// Whether the office bound the executive to this seat; who is, is in no mentor's list.
    pub(crate) locked: bool,
    previous: u32,
    next: u32,
}

impl Claim {
    pub(crate) fn of(executive: Executive) -> Self {
        if executive.obliged { Self::Obliged } else { Self::Willing }
    }

    /// The cost of having no mentor.
    #[inline]
    pub(crate) fn penalty(self) -> Value {
        match self {
            Self::Obliged => Value::OBLIGED,
            Self::Willing => Value::WILLING,
            Self::Gone => Value::ZERO,
        }
    }
}

const STANDING: Seat = Seat { mentor: NOBODY, loss: 0, locked: false, previous: NOBODY, next: NOBODY };

/// The places of a mentor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Desk {
    /// All of them.
    capacity: u32,
    /// Those bound by locks.
    locked: u32,
    /// Those taken otherwise.
    taken: u32,
    /// Who sits on the latter: the head of a list.
    first: u32,
}

impl Desk {
    #[inline]
    pub(crate) fn has_free_place(self) -> bool {
        self.locked + self.taken < self.capacity
    }
}

impl<'p> Market<'p> {
    /// Opens the market of a problem, if it is valid: locks sit, nobody else does, every price is zero.
    pub(crate) fn open(problem: &'p Problem) -> Result<Self, Invalid> {
        let rows = Rows::new(problem)?;
        let desk = |capacity| Desk { capacity, locked: 0, taken: 0, first: NOBODY };
        let mut market = Self {
            measure: Measure::new(problem),
            rows,
            claims: problem.executives.iter().copied().map(Claim::of).collect(),
            seats: vec![STANDING; problem.executives.len()],
            desks: problem.mentors.iter().map(|mentor| desk(mentor.capacity)).collect(),
            prices: Prices::zero(problem.mentors.len()),
            ceilings: Vec::new(),
        };
        for &(executive, mentor) in &problem.locks {
            if let Some((mentor, loss)) = market.rows.find(executive, mentor) {
                market.lock(executive, mentor, loss);
            }
        }
        Ok(market)
    }

    /// Binds an executive who has no seat to this mentor: the place leaves the market.
    pub(crate) fn lock(&mut self, executive: usize, mentor: u32, loss: u16) {
        self.seats[executive] = Seat { mentor, loss, locked: true, ..STANDING };
        self.desks[mentor as usize].locked += 1;
    }

    /// Gives the place of a locked executive back to the market; the executive has no seat then.
    pub(crate) fn unlock(&mut self, executive: usize) {
        let seat = std::mem::replace(&mut self.seats[executive], STANDING);
        self.desks[seat.mentor as usize].locked -= 1;
    }

    /// Changes what a locked executive's pair is worth.
    pub(crate) fn relock(&mut self, executive: usize, loss: u16) {
        self.seats[executive].loss = loss;
    }

    pub(crate) fn executives(&self) -> usize {
        self.seats.len()
    }

    pub(crate) fn mentors(&self) -> usize {
        self.desks.len()
    }

    #[inline]
    pub(crate) fn seat_of(&self, executive: usize) -> Seat {
        self.seats[executive]
    }

    /// The places that are not bound by a lock.
    pub(crate) fn places(&self, mentor: usize) -> u32 {
        self.desks[mentor].capacity.saturating_sub(self.desks[mentor].locked)
    }

    /// How many places are bound by locks.
    pub(crate) fn locked(&self, mentor: usize) -> u32 {
        self.desks[mentor].locked
    }

    pub(crate) fn set_capacity(&mut self, mentor: usize, capacity: u32) {
        self.desks[mentor].capacity = capacity;
    }

    #[inline]
    pub(crate) fn has_free_place(&self, mentor: usize) -> bool {
        self.desks[mentor].has_free_place()
    }

    /// Somebody who has to go, if more sit with this mentor than there are places.
    pub(crate) fn one_too_many(&self, mentor: usize) -> Option<u32> {
        let Desk { capacity, locked, taken, first } = self.desks[mentor];
        (locked + taken > capacity && first != NOBODY).then_some(first)
    }

    /// The first of the executives who sit with this mentor and may be moved.
    pub(crate) fn first_seated(&self, mentor: usize) -> Option<u32> {
        let first = self.desks[mentor].first;
        (first != NOBODY).then_some(first)
    }

    /// The next one who sits with the same mentor.
    pub(crate) fn next_seated(&self, executive: u32) -> Option<u32> {
        let next = self.seats[executive as usize].next;
        (next != NOBODY).then_some(next)
    }

    /// The executives without a seat who take part.
    pub(crate) fn standing(&self) -> Vec<u32> {
        let people = (0..).zip(self.seats.iter().zip(&self.claims));
        let people = people.filter(|(_, (seat, claim))| seat.mentor == NOBODY && **claim != Claim::Gone);
        people.map(|(executive, _)| executive).collect()
    }

    pub(crate) fn claim(&self, executive: usize) -> Claim {
        self.claims[executive]
    }

    pub(crate) fn set_claim(&mut self, executive: usize, claim: Claim) {
        self.claims[executive] = claim;
    }

    /// The cost of having no mentor.
    #[inline]
    pub(crate) fn penalty(&self, executive: usize) -> Value {
        self.claims[executive].penalty()
    }

    /// What it costs that an executive sits where they do.
    #[inline]
    pub(crate) fn paid(&self, executive: usize) -> Value {
        let seat = self.seats[executive];
        if seat.mentor == NOBODY {
            return self.penalty(executive);
        }
        self.measure.pair(executive, seat.mentor as usize, seat.loss)
    }

    /// The least this executive can be had for at the present prices (*u*), who sits or was left out at these prices.
    ///
    /// Who sits, sits at the least, and who was left out has nothing better than that.
    #[inline]
    pub(crate) fn least(&self, executive: usize) -> Value {
        self.least_at(executive, &self.prices)
    }

    /// The same at other prices that prove the same optimum.
    #[inline]
    pub(crate) fn least_at(&self, executive: usize, prices: &Prices) -> Value {
        let seat = self.seats[executive];
        if seat.mentor == NOBODY {
            return self.penalty(executive);
        }
        self.measure.pair(executive, seat.mentor as usize, seat.loss) + prices[seat.mentor as usize]
    }

    /// The same for anybody, and the mentor it is with, unless it is the cost of having none.
    pub(crate) fn best_of_row(&mut self, executive: usize) -> (Value, Option<(u32, u16)>) {
        let (mut least, mut best) = (self.penalty(executive), None);
        for (mentor, loss) in self.rows.scan(executive) {
            if self.measure.at_least(loss) >= least {
                break;
            }
            let price = self.prices[mentor as usize];
            let asked = self.measure.pair(executive, mentor as usize, loss) + price;
            if asked < least {
                (least, best) = (asked, Some((mentor, loss)));
            }
        }
        (least, best)
    }

    /// Gives an executive a new seat, and returns the mentor left.
    pub(crate) fn seat(&mut self, executive: u32, mentor: u32, loss: u16) -> u32 {
        let left = self.stand_up(executive);
        let desk = &mut self.desks[mentor as usize];
        let next = std::mem::replace(&mut desk.first, executive);
        desk.taken += 1;
        self.seats[executive as usize] = Seat { mentor, loss, next, ..STANDING };
        if next != NOBODY {
            self.seats[next as usize].previous = executive;
        }
        self.set_ceiling(executive);
        left
    }

    /// Finds the ceilings of all, which are kept from then on.
    pub(crate) fn find_ceilings(&mut self) {
        if self.ceilings.is_empty() {
            let executives = 0..self.executives();
            self.ceilings = executives.map(|executive| self.least(executive).points_enough()).collect();
        }
    }

    /// Raises the ceilings of those who sit where the price has risen; if it falls, they are only higher than they need be.
    pub(crate) fn raise_ceilings(&mut self, mentor: u32) {
        let mut seated = self.first_seated(mentor as usize).filter(|_| !self.ceilings.is_empty());
        while let Some(executive) = seated {
            seated = self.next_seated(executive);
            self.set_ceiling(executive);
        }
    }

    #[inline]
    fn set_ceiling(&mut self, executive: u32) {
        if !self.ceilings.is_empty() {
            self.ceilings[executive as usize] = self.least(executive as usize).points_enough();
        }
    }

    /// Takes the seat away from an executive who is not locked, and returns the mentor left.
    pub(crate) fn stand_up(&mut self, executive: u32) -> u32 {
        if let Some(ceiling) = self.ceilings.get_mut(executive as usize) {
            *ceiling = i32::MAX;
        }
        let Seat { mentor, previous, next, .. } =
            std::mem::replace(&mut self.seats[executive as usize], STANDING);
        if mentor == NOBODY {
            return NOBODY;
        }
        let desk = &mut self.desks[mentor as usize];
        desk.taken -= 1;
        match previous {
            NOBODY => desk.first = next,
            previous => self.seats[previous as usize].next = next,
        }
        if next != NOBODY {
            self.seats[next as usize].previous = previous;
        }
        mentor
    }
}
