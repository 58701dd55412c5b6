//! What an answer is worth; the same judge for everybody, who believes no solver.

use bench_matching::Instance;

/// Why an answer is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Foul {
    /// Executive and mentor are not an admissible pair.
    NoPair(usize),
    /// The mentor has more executives than places.
    Overfull(usize),
}

/// What an answer is worth; less is better, and the order of the fields is that of the goals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Worth {
    /// Executives without a mentor.
    pub(crate) unmatched: usize,
    /// What the pairs cost together.
    pub(crate) cost: u64,
}

/// Weighs an answer.
///
/// # Errors
///
/// [`Foul`] if it is not feasible.
pub(crate) fn weigh(instance: &Instance, answer: &[Option<usize>]) -> Result<Worth, Foul> {
    let mut places = instance.capacities.clone();
    let mut worth = Worth { unmatched: 0, cost: 0 };
    for (executive, mentor) in answer.iter().enumerate() {
        let &Some(mentor) = mentor else {
            worth.unmatched += 1;
            continue;
        };
        let pairs = instance.pairs(executive);
        let row = &instance.mentors[pairs.clone()];
        let found = row.binary_search_by(|&other| (other as usize).cmp(&mentor));
        let pair = pairs.start + found.map_err(|_| Foul::NoPair(executive))?;
        worth.cost += u64::from(instance.costs[pair]);
        places[mentor] = places[mentor].checked_sub(1).ok_or(Foul::Overfull(mentor))?;
    }
    Ok(worth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance() -> Instance {
        let mut instance = Instance::new(vec![1, 2], false);
        instance.push([(0, 10_000), (1, 9_000)]);
        instance.push([(0, 8_000)]);
        instance
    }

    #[test]
    fn whoever_covers_more_people_is_better_at_any_cost() {
        let all = weigh(&instance(), &[Some(1), Some(0)]).unwrap();
        let one = weigh(&instance(), &[Some(0), None]).unwrap();
        assert_eq!((all, one), (Worth { unmatched: 0, cost: 3_002 }, Worth { unmatched: 1, cost: 1 }));
        assert!(all < one);
    }

    #[test]
    fn what_is_not_feasible_is_no_answer() {
        assert_eq!(weigh(&instance(), &[None, Some(1)]), Err(Foul::NoPair(1)));
        assert_eq!(weigh(&instance(), &[Some(0), Some(0)]), Err(Foul::Overfull(0)));
    }
}
