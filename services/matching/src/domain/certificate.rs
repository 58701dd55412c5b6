//! The proof of an optimum, in numbers that anyone can calculate with.

use assignment::{Cost, LEVELS};
use identity::PersonId;

/// The bits of a digit in [`integer`].
const DIGIT_BITS: u32 = 64;

/// What proves that no better set of tandems exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The price of each mentor's place, by person.
    pub prices: Vec<(PersonId, String)>,
    /// What the set of tandems costs.
    pub cost: String,
    /// Whether the independent checker agrees.
    pub verified: bool,
}

/// A cost as one decimal integer, whose digits to the base 2^64 are the goals, the first goal foremost.
///
/// The solver compares costs goal by goal. No goal exceeds half a digit, so the integers are in the same order, and their sums
/// are the integers of the sums: what is proved about them is proved about the costs. Costs and prices are never below zero.
#[must_use]
pub fn integer(cost: Cost) -> String {
    let mut digits = [0; LEVELS];
    let mut carry = 0_i128;
    for (digit, level) in digits.iter_mut().zip(<[i64; LEVELS]>::from(cost)).rev() {
        let sum = i128::from(level) + carry;
        *digit = u64::try_from(sum & i128::from(u64::MAX)).unwrap_or_default();
        carry = sum >> DIGIT_BITS;
    }
    decimal(digits)
}

/// The decimal writing, by repeated division.
fn decimal(mut digits: [u64; LEVELS]) -> String {
    const GROUP: u128 = 1_000_000_000_000_000_000;
    let mut groups = Vec::new();
    while digits.iter().any(|digit| *digit > 0) {
        let mut rest = 0;
        for digit in &mut digits {
            let value = (rest << DIGIT_BITS) | u128::from(*digit);
            // The rest is below the divisor, so the quotient is one digit.
            *digit = u64::try_from(value / GROUP).unwrap_or_default();
            rest = value % GROUP;
        }
        groups.push(rest);
    }
    let Some(first) = groups.pop() else { return "0".to_owned() };
    groups.iter().rev().fold(first.to_string(), |text, group| format!("{text}{group:018}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_one_integer_with_the_goals_as_its_digits() {
        assert_eq!(integer(Cost::ZERO), "0");
        assert_eq!(integer(Cost { tie: 42, ..Cost::ZERO }), "42");
        assert_eq!(integer(Cost { loss: 1, ..Cost::ZERO }), "18446744073709551616");
        assert_eq!(integer(Cost { loss: 1, tie: -1, ..Cost::ZERO }), "18446744073709551615");
        let seventh = "26959946667150639794667015087019630673637144422540572481103610249216";
        assert_eq!(integer(Cost::from([0, 0, 0, 1 << 32, 0, 0, 0, 0])).len(), 87);
        assert_eq!(decimal([0, 0, 0, 0, 1 << 32, 0, 0, 0]), seventh);
    }

    #[test]
    fn a_lower_goal_may_be_below_zero_where_a_higher_one_is_above() {
        let far = Cost { obliged: 1, unmatched: -1, loss: -1, ..Cost::ZERO };
        let near = Cost { unmatched: i64::MAX, ..Cost::ZERO };
        let (far, near) = (integer(far), integer(near));
        assert!((far.len(), &far) > (near.len(), &near));
    }
}
