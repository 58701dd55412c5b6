//! Which numbers about people's answers may be shown.
//!
//! # Source
//! The threshold rule with complementary suppression as statistical offices use it: Hundepool et al., *Statistical Disclosure
//! Control*, 2012, chapter 4. A count is shown only if neither the counted nor the rest are a small group, so that no
//! difference of shown numbers speaks of fewer than `k` people.

/// The count of a group within a whole, if it may be shown.
///
/// Nobody and everybody are shown: they set no small group apart.
#[must_use]
pub fn shown(count: i32, whole: i32, k: i32) -> Option<i32> {
    let small = |group: i32| group > 0 && group < k;
    (whole >= k && !small(count) && !small(whole - count)).then_some(count)
}

/// Whether what happened in meetings may be told of a group, as a whole, outside the programme office.
///
/// Of a smaller group a sum would say of somebody whether they met, which is for the office alone.
#[must_use]
pub const fn tells_nobody_apart(group: i32, k: i32) -> bool {
    group >= k
}

/// A mean over respondents, if they are enough.
#[must_use]
pub fn mean(sum: i64, respondents: i32, k: i32) -> Option<f64> {
    // Levels and people are few enough for a double to hold them exactly.
    let sum = i32::try_from(sum).ok()?;
    (respondents > 0 && respondents >= k).then(|| f64::from(sum) / f64::from(respondents))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_and_its_rest_are_shown_only_from_k_on() {
        let counts: Vec<_> = (0..=20).filter(|count| shown(*count, 20, 5).is_some()).collect();
        assert_eq!(counts, [0, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20]);
    }

    #[test]
    fn of_a_small_whole_nothing_is_shown() {
        assert!((0..=4).all(|count| shown(count, 4, 5).is_none()));
    }

    #[test]
    fn no_difference_of_shown_numbers_speaks_of_fewer_than_k() {
        for k in 5..=10 {
            for whole in 0..=60 {
                for count in (0..=whole).filter(|count| shown(*count, whole, k).is_some()) {
                    for group in [count, whole - count] {
                        assert!(group == 0 || group >= k);
                    }
                }
            }
        }
    }

    #[test]
    fn a_mean_needs_k_respondents() {
        assert_eq!(mean(12, 4, 5), None);
        assert_eq!(mean(15, 6, 5), Some(2.5));
        assert_eq!(mean(0, 0, 0), None);
    }
}
