//! The proof of an optimum, in numbers that anyone can calculate with.

use assignment::check::Flaw;
use assignment::{Cost, LEVELS, Solution};
use identity::PersonId;

use crate::domain::computation::{Question, Unsolvable};
use crate::domain::frozen::Frozen;
use crate::domain::solution::Staged;

/// The bits of a digit in [`integer`].
const DIGIT_BITS: u32 = 64;

/// What proves that no better set of tandems exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The prices, by mentor and place.
    pub prices: Vec<Price>,
    /// What the set of tandems costs.
    pub cost: String,
    /// Whether the independent checker agrees.
    pub verified: bool,
}

/// The price of a mentor's place, or of all places where they earn the same points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// The mentor.
    pub mentor: PersonId,
    /// The place, counted from 0.
    pub place: u32,
    /// The price, a decimal integer.
    pub price: String,
}

/// Why a run is not proved to be the best.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproved {
    /// Its locks contradict its inputs.
    #[error("the run's question cannot be asked anew")]
    Question(#[source] Unsolvable),
    /// It names people who are not in its inputs, or prices that are no numbers.
    #[error("the run's {0} do not belong to its inputs")]
    Foreign(&'static str),
    /// The checker finds a flaw.
    #[error(transparent)]
    Flaw(#[from] Flaw),
}

/// The certificate of an answer, in numbers, with the verdict of the independent checker.
pub(super) fn of(frozen: &Frozen, question: &Question<'_>, solution: &Solution) -> Certificate {
    let prices = question.seats.seats.iter().zip(&solution.certificate.prices).map(|(seat, price)| Price {
        mentor: frozen.mentor(seat.mentor),
        place: seat.place,
        price: integer(*price),
    });
    Certificate {
        prices: prices.collect(),
        cost: integer(solution.certificate.cost),
        verified: assignment::check::check(&question.problem, solution).is_ok(),
    }
}

/// Checks a run against its inputs by nothing but the pairs and prices that it bears: the solver is not asked.
///
/// # Errors
/// Why the run is not proved.
pub fn verify(frozen: &Frozen, staged: &Staged) -> Result<(), Unproved> {
    let question = Question::ask(frozen, &staged.wishes).map_err(Unproved::Question)?;
    let solution = solution(frozen, &question, staged)?;
    Ok(assignment::check::check(&question.problem, &solution)?)
}

/// The answer that a run bears, with its prices, as the solver has it.
///
/// # Errors
/// [`Unproved::Foreign`].
pub(super) fn solution(
    frozen: &Frozen,
    question: &Question<'_>,
    staged: &Staged,
) -> Result<Solution, Unproved> {
    let (mentees, mentors) = (frozen.mentees(), frozen.mentors());
    let seat_of = |mentor: &PersonId, place| question.seats.at(*mentors.get(mentor)?, place);
    let mut assignment = vec![None; mentees.len()];
    for proposed in &staged.pairs {
        let seat = seat_of(&proposed.pair.mentor, proposed.place);
        let (Some(mentee), Some(seat)) = (mentees.get(&proposed.pair.mentee), seat) else {
            return Err(Unproved::Foreign("pairs"));
        };
        assignment[*mentee] = Some(seat);
    }
    let mut prices = vec![Cost::ZERO; question.seats.seats.len()];
    for Price { mentor, place, price } in &staged.certificate.prices {
        let (Some(seat), Some(price)) = (seat_of(mentor, *place), cost(price)) else {
            return Err(Unproved::Foreign("prices"));
        };
        prices[seat] = price;
    }
    let cost = cost(&staged.certificate.cost).ok_or(Unproved::Foreign("costs"))?;
    let score = staged.pairs.iter().map(|proposed| i64::from(proposed.points.score())).sum();
    let certificate = assignment::Certificate { prices, cost };
    Ok(Solution { assignment, score, certificate })
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

/// The cost that is written so; none if it is no such integer.
fn cost(text: &str) -> Option<Cost> {
    let mut levels = [0; LEVELS];
    let mut carry = 0;
    for (level, digit) in levels.iter_mut().zip(digits(text)?).rev() {
        let sum = i128::from(digit.cast_signed());
        *level = i64::try_from(sum - carry).ok()?;
        carry = if sum < 0 { -1 } else { 0 };
    }
    Some(Cost::from(levels))
}

/// The digits of a decimal integer, by repeated multiplication.
fn digits(text: &str) -> Option<[u64; LEVELS]> {
    let mut digits = [0; LEVELS];
    if text.is_empty() {
        return None;
    }
    for decimal in text.chars() {
        let mut carry = u128::from(decimal.to_digit(10)?);
        for digit in digits.iter_mut().rev() {
            let value = u128::from(*digit) * 10 + carry;
            *digit = u64::try_from(value & u128::from(u64::MAX)).ok()?;
            carry = value >> DIGIT_BITS;
        }
        if carry > 0 {
            return None;
        }
    }
    Some(digits)
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
    use assignment::Progress;

    use super::*;
    use crate::domain::frozen::tests::frozen;
    use crate::domain::inputs::tests::{inputs, mentee, pair};
    use crate::domain::solution::{Wishes, solve};

    #[test]
    fn a_written_cost_is_read_again() {
        for cost_of in [
            Cost::ZERO,
            Cost { tie: 42, ..Cost::ZERO },
            Cost { loss: 1, tie: -1, ..Cost::ZERO },
            Cost { obliged: 3, unmatched: -2, bands: [1, -1, 0, 5], loss: -7, tie: 9 },
        ] {
            assert_eq!(cost(&integer(cost_of)), Some(cost_of));
        }
        for wrong in ["", "-1", "1e3", &"9".repeat(200)] {
            assert_eq!(cost(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_run_is_verified_by_its_pairs_and_prices_alone() {
        let mut scarce = inputs();
        scarce.mentees.push(mentee(3, &[100], &[("hashtags", 0)]));
        scarce.mentors[1].places = 2;
        let frozen = frozen(scarce);
        let wishes = Wishes { locks: [pair(12, 1)].into(), ..Wishes::default() };
        let staged = solve(&frozen, wishes, &Progress::default()).unwrap();
        assert_eq!(verify(&frozen, &staged), Ok(()));

        let mut dearer = staged.clone();
        dearer.certificate.prices[0].price = "1".to_owned();
        assert_eq!(verify(&frozen, &dearer), Err(Unproved::Flaw(Flaw::Gap)));
        let mut fewer = staged.clone();
        fewer.pairs.pop();
        assert_eq!(verify(&frozen, &fewer), Err(Unproved::Flaw(Flaw::Sum)));
        let mut foreign = staged.clone();
        foreign.pairs[0].pair = pair(99, 1);
        assert_eq!(verify(&frozen, &foreign), Err(Unproved::Foreign("pairs")));
        let mut unlocked = staged;
        unlocked.wishes.locks = [pair(99, 1)].into();
        assert!(matches!(verify(&frozen, &unlocked), Err(Unproved::Question(_))));
    }

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
