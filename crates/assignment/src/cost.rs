//! What is better: one integer per goal, compared in the order of the goals.

use std::array;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use crate::problem::BANDS_MAX;

/// The number of integers in a [`Cost`].
pub const LEVELS: usize = BANDS_MAX + 4;

/// A cost, a price or a distance: one integer per goal, compared lexicographically.
///
/// The order of the fields is the order of the goals; the derived comparison relies on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost {
    /// Obliged executives without a mentor.
    pub obliged: i64,
    /// Executives without a mentor, the obliged ones included.
    pub unmatched: i64,
    /// Pairs with a score below each band; 0 beyond the problem's bands.
    pub bands: [i64; BANDS_MAX],
    /// What the pairs lack to the best score, summed.
    pub loss: i64,
    /// Sum of the pairs' fixed pseudo-random numbers; decides between equals.
    pub tie: i64,
}

impl Cost {
    /// Nothing.
    pub const ZERO: Self = Self { obliged: 0, unmatched: 0, bands: [0; BANDS_MAX], loss: 0, tie: 0 };

    /// Applies an operation level by level.
    fn zip(self, other: Self, operation: impl Fn(i64, i64) -> i64) -> Self {
        Self {
            obliged: operation(self.obliged, other.obliged),
            unmatched: operation(self.unmatched, other.unmatched),
            bands: array::from_fn(|band| operation(self.bands[band], other.bands[band])),
            loss: operation(self.loss, other.loss),
            tie: operation(self.tie, other.tie),
        }
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::ZERO, Add::add)
    }
}

impl From<Cost> for [i64; LEVELS] {
    fn from(cost: Cost) -> Self {
        let Cost { obliged, unmatched, bands: [a, b, c, d], loss, tie } = cost;
        [obliged, unmatched, a, b, c, d, loss, tie]
    }
}

impl From<[i64; LEVELS]> for Cost {
    fn from([obliged, unmatched, a, b, c, d, loss, tie]: [i64; LEVELS]) -> Self {
        Self { obliged, unmatched, bands: [a, b, c, d], loss, tie }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn costs_compare_as_the_list_of_their_levels(a: [i64; LEVELS], b: [i64; LEVELS]) {
            prop_assert_eq!(Cost::from(a).cmp(&Cost::from(b)), a.cmp(&b));
            prop_assert_eq!(<[i64; LEVELS]>::from(Cost::from(a)), a);
        }

        #[test]
        fn the_order_survives_addition(a: [i32; LEVELS], b: [i32; LEVELS], c: [i32; LEVELS]) {
            let [a, b, c] = [a, b, c].map(|levels| Cost::from(levels.map(i64::from)));
            prop_assert_eq!(a < b, a + c < b + c);
            prop_assert_eq!(a + c - c, a);
        }
    }
}
