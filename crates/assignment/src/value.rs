//! The integers the searches calculate with: all goals of a [`Cost`] packed into two words.

use std::ops::{Add, Sub};

use crate::cost::Cost;
use crate::problem::{BANDS_MAX, Problem, SCORE_MAX};
use crate::rows::FORBIDDEN;

/// Bits of a band's field in [`Value::people`].
const BAND_BITS: u32 = 24;
/// Where the field of the executives without a mentor begins; that of the obliged ones follows.
const UNMATCHED_SHIFT: u32 = 4 * BAND_BITS;
const _: () = assert!(BANDS_MAX == 4, "there is a field for each band");
const OBLIGED_SHIFT: u32 = UNMATCHED_SHIFT + 16;
/// Where the field of the loss begins in [`Value::merit`]; below it is the tie-break.
const LOSS_SHIFT: u32 = 64;
/// Bits of the tie-break of one pair.
const TIE_BITS: u32 = 40;
/// The most points of score that are told apart where points are compared alone.
const POINTS_MAX: i32 = 1 << 29;
/// What is left out of a rough number: all but the highest bits of a tie-break.
const ROUGH_SHIFT: u32 = 40;

/// A [`Cost`] in 32 bytes. Sums and comparisons of packed values are those of the vectors, as long as no component
/// leaves its field; the first page of the crate says why none does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Value {
    /// Obliged, unmatched, and the bands from the worst to the mildest.
    people: i128,
    /// Loss and tie-break.
    merit: i128,
}

impl Value {
    pub(crate) const ZERO: Self = Self { people: 0, merit: 0 };

    /// No tie-break is more than this.
    pub(crate) const TIE_MAX: Self = Self { people: 0, merit: (1 << TIE_BITS) - 1 };

    /// More than anything that can be reached; compared with, never calculated with.
    pub(crate) const UNREACHED: Self = Self { people: i128::MAX, merit: 0 };

    /// A price that keeps everybody away.
    pub(crate) const CLOSED: Self = Self { people: Self::OBLIGED.people, merit: 1 << LOSS_SHIFT };

    /// What it costs to leave somebody out who is obliged.
    pub(crate) const OBLIGED: Self = Self { people: (1 << OBLIGED_SHIFT) + (1 << UNMATCHED_SHIFT), merit: 0 };

    /// What it costs to leave somebody out who is not obliged.
    pub(crate) const WILLING: Self = Self { people: 1 << UNMATCHED_SHIFT, merit: 0 };

    /// A price, if a problem can have it: not below zero, and every goal within the field it has here.
    pub(crate) fn of_price(cost: Cost) -> Option<Self> {
        let within = |goal: i64, bits: u32| goal.unsigned_abs() < 1 << bits;
        let is_possible = within(cost.obliged, 2)
            && within(cost.unmatched, 2)
            && cost.bands.iter().all(|&band| within(band, BAND_BITS - 4))
            && within(cost.loss, 40)
            && within(cost.tie, 60);
        let price = is_possible.then(|| Self::from(cost))?;
        (price >= Self::ZERO).then_some(price)
    }

    /// A number in the same order, where small differences and all that is more than points vanish.
    pub(crate) fn rough(self) -> u64 {
        match self.people {
            ..0 => 0,
            0 => u64::try_from((self.merit >> ROUGH_SHIFT).max(0)).unwrap_or(u64::MAX),
            1.. => u64::MAX,
        }
    }

    /// No more whole points of score than this; more than any pair's if it is more than points, and of what is below zero
    /// nothing is said.
    #[inline]
    pub(crate) fn points_at_most(self) -> i32 {
        match self.people {
            ..0 => i32::MIN,
            0 if self.merit < 0 => i32::MIN,
            0 => clipped(self.merit >> LOSS_SHIFT),
            1.. => POINTS_MAX,
        }
    }

    /// What nothing reaches by its points alone that is less than this; [`i32::MAX`] if points alone do not decide.
    #[inline]
    pub(crate) fn points_enough(self) -> i32 {
        let points = clipped(self.merit >> LOSS_SHIFT);
        if self.people == 0 && points < POINTS_MAX { points + 1 } else { i32::MAX }
    }

    /// So many points of score.
    pub(crate) fn of_points(points: i32) -> Self {
        Self { people: 0, merit: i128::from(points) << LOSS_SHIFT }
    }
}

impl Add for Value {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { people: self.people + other.people, merit: self.merit + other.merit }
    }
}

impl Sub for Value {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { people: self.people - other.people, merit: self.merit - other.merit }
    }
}

impl From<Cost> for Value {
    fn from(cost: Cost) -> Self {
        let mut people =
            (i128::from(cost.obliged) << OBLIGED_SHIFT) + (i128::from(cost.unmatched) << UNMATCHED_SHIFT);
        for (band, &count) in (1..).zip(&cost.bands) {
            people += i128::from(count) << (UNMATCHED_SHIFT - BAND_BITS * band);
        }
        Self { people, merit: (i128::from(cost.loss) << LOSS_SHIFT) + i128::from(cost.tie) }
    }
}

impl From<Value> for Cost {
    fn from(Value { mut people, mut merit }: Value) -> Self {
        let mut bands = [0; BANDS_MAX];
        for band in bands.iter_mut().rev() {
            *band = take_field(&mut people, BAND_BITS);
        }
        let unmatched = take_field(&mut people, OBLIGED_SHIFT - UNMATCHED_SHIFT);
        let tie = take_field(&mut merit, LOSS_SHIFT);
        Self { obliged: low(people), unmatched, bands, loss: low(merit), tie }
    }
}

/// Takes the signed lowest field off a word.
fn take_field(word: &mut i128, bits: u32) -> i64 {
    let field = *word << (i128::BITS - bits) >> (i128::BITS - bits);
    *word = (*word - field) >> bits;
    low(field)
}

/// A number of points, as far as they are told apart.
#[inline]
fn clipped(points: i128) -> i32 {
    i32::try_from(points.clamp(i128::from(-POINTS_MAX), i128::from(POINTS_MAX))).unwrap_or(POINTS_MAX)
}

fn low(word: i128) -> i64 {
    i64::try_from(word).unwrap_or(if word < 0 { i64::MIN } else { i64::MAX })
}

/// What pairs cost and what it costs to leave somebody out.
#[derive(Clone, Debug)]
pub(crate) struct Measure {
    /// The least loss from which a pair is below a band, and the bands it is below then; the mildest band first, and
    /// what is forbidden last.
    steps: Vec<(u16, i128)>,
    /// Per executive, the first half of the tie-break's hash.
    executives: Vec<u64>,
    /// Per mentor, the key.
    mentors: Vec<u64>,
}

impl Measure {
    pub(crate) fn new(problem: &Problem) -> Self {
        let mut steps: Vec<(u16, i128)> = Vec::new();
        let mut below = 0;
        for (band, &limit) in problem.bands.iter().enumerate().rev() {
            let band = u32::try_from(band).unwrap_or_default();
            below += 1 << (UNMATCHED_SHIFT - BAND_BITS * (band + 1));
            steps.push((SCORE_MAX - limit + 1, below));
        }
        // A pair that is forbidden costs more than leaving anybody out, so that a scan ends at the first one.
        steps.push((FORBIDDEN, Value::CLOSED.people));
        Self {
            steps,
            executives: problem.executives.iter().map(|executive| split_mix(executive.key)).collect(),
            mentors: problem.mentors.iter().map(|mentor| mentor.key).collect(),
        }
    }

    /// The cost of a pair; what decides between equals is a fixed number of 40 bits, a hash of both keys.
    #[inline]
    pub(crate) fn pair(&self, executive: usize, mentor: usize, loss: u16) -> Value {
        let tie = split_mix(self.executives[executive].wrapping_add(self.mentors[mentor]))
            >> (u64::BITS - TIE_BITS);
        let Value { people, merit } = self.at_least(loss);
        Value { people, merit: merit | i128::from(tie) }
    }

    /// The cost of a pair without its tie-break: no pair of this or a greater loss costs less.
    #[inline]
    pub(crate) fn at_least(&self, loss: u16) -> Value {
        let mut people = 0;
        for &(from, below) in &self.steps {
            if loss < from {
                break;
            }
            people = below;
        }
        Value { people, merit: i128::from(loss) << LOSS_SHIFT }
    }

    /// A price in points of which so many stand for each band: the nearest number of bands, and what is left.
    pub(crate) fn price(&self, points: i32, band_points: i32) -> Value {
        let bands = usize::try_from((points + band_points / 2) / band_points).unwrap_or_default();
        let bands = (1..=bands.min(self.steps.len() - 1)).zip(&self.steps).last();
        let Some((bands, &(_, below))) = bands else { return Value::of_points(points) };
        let left = (0..bands).fold(points, |left, _| left - band_points);
        Value { people: below, ..Value::of_points(left) }
    }

    /// How many bands a pair of this loss is below.
    pub(crate) fn bands_below(&self, loss: u16) -> u8 {
        self.steps.iter().fold(0, |bands, &(from, _)| bands + u8::from(loss >= from))
    }
}

/// The output function of `SplitMix64`.
///
/// # Source
///
/// G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
#[inline]
fn split_mix(seed: u64) -> u64 {
    let bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::problem::{Executive, Mentor};

    #[test]
    fn the_tie_break_never_changes() {
        // Published runs are replayed years later; these numbers are part of what they mean.
        let tie_of = |a, b| {
            let problem = Problem {
                executives: vec![Executive { key: a, obliged: false }],
                mentors: vec![Mentor { key: b, capacity: 1 }],
                ..Problem::default()
            };
            Cost::from(Measure::new(&problem).pair(0, 0, 0)).tie
        };
        assert_eq!(tie_of(0, 0), 717_374_697_293);
        assert_eq!(tie_of(1, 2), 811_108_906_134);
        assert_eq!(tie_of(2, 1), 963_915_039_538);
        assert_eq!(tie_of(u64::MAX, u64::MAX), 349_333_508_277);
    }

    fn costs() -> impl Strategy<Value = Cost> {
        let far = 1_i64 << 22;
        (
            -8..8_i64,
            -8..8_i64,
            prop::array::uniform4(-far..far),
            -(1_i64 << 40)..1 << 40,
            -(1_i64 << 61)..1 << 61,
        )
            .prop_map(|(obliged, unmatched, bands, loss, tie)| Cost {
                obliged,
                unmatched,
                bands,
                loss,
                tie,
            })
    }

    proptest! {
        #[test]
        fn packing_keeps_every_goal_the_order_and_the_sums(a in costs(), b in costs()) {
            let [x, y] = [a, b].map(Value::from);
            prop_assert_eq!(Cost::from(x), a);
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            prop_assert_eq!(Cost::from(x + y), a + b);
            prop_assert_eq!(Cost::from(x - y), a - b);
        }
    }
}
