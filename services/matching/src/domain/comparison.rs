//! Other scoring rules tried out beside those in force: who gains, who loses, how many bad pairs.

use assignment::Progress;
use identity::PersonId;

use crate::domain::computation::{Question, Unsolvable, Wishes, what_if};
use crate::domain::frozen::Frozen;
use crate::domain::outcome::{Figures, Found, Outcome};

/// What other scoring rules change for an executive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The executive.
    pub mentee: PersonId,
    /// The mentor by the rules in force, with the score by them.
    pub before: Option<(PersonId, i32)>,
    /// The mentor by the rules to try, with the score by those.
    pub after: Option<(PersonId, i32)>,
    /// The score with the former mentor by the rules to try, so that like is compared with like; 0 without one.
    pub before_by_proposed: i32,
}

impl Effect {
    /// How many points the executive is better off, by the rules to try.
    #[must_use]
    pub fn gain(&self) -> i32 {
        self.after.map_or(0, |(_, score)| score) - self.before_by_proposed
    }
}

/// Two computations beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// What the rules in force lead to, measured by the rules to try.
    pub current: Figures,
    /// What the rules to try lead to, measured by the same.
    pub proposed: Figures,
    /// The executives for whom the mentor is another one, those who lose most first.
    pub effects: Vec<Effect>,
}

/// Computes the best set of tandems by the rules in force and by others; the people are the same.
///
/// Both are measured by the rules to try: two rulers, each with bands of its own, would make the stricter rules look like the worse.
///
/// # Errors
/// [`Unsolvable`].
pub fn compare(
    current: &Frozen,
    proposed: &Frozen,
    wishes: &Wishes,
    progress: &Progress,
) -> Result<Comparison, Unsolvable> {
    let before = what_if(current, wishes, progress)?;
    let after = what_if(proposed, wishes, progress)?;
    let both = before.found.iter().zip(&after.found).enumerate();
    let moved = both.filter(|(_, (before, after))| {
        before.as_ref().map(|found| found.mentor) != after.as_ref().map(|found| found.mentor)
    });
    let named = |found: &Found| (current.mentor(found.mentor), found.points.score());
    let measured = measured(&before, proposed, wishes, progress)?;
    let effects = moved.map(|(mentee, (before, after))| Effect {
        mentee: current.mentee(mentee),
        before: before.as_ref().map(named),
        after: after.as_ref().map(named),
        before_by_proposed: measured.found[mentee].map_or(0, |found| found.points.score()),
    });
    let mut effects: Vec<Effect> = effects.collect();
    effects.sort_by_key(|effect| (effect.gain(), effect.mentee));
    Ok(Comparison { current: measured.figures(proposed), proposed: after.figures(proposed), effects })
}

/// The same tandems by other scoring rules, each at the place of its mentor that is best for all by those: places that earned the same may
/// not any more.
fn measured(
    outcome: &Outcome,
    by: &Frozen,
    wishes: &Wishes,
    progress: &Progress,
) -> Result<Outcome, Unsolvable> {
    let mut question = Question::ask(by, wishes)?;
    question.keep_pairs(outcome);
    Ok(question.outcome(&question.solve(progress)?.assignment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::frozen::tests::frozen;
    use crate::domain::inputs::Inputs;
    use crate::domain::inputs::tests::{inputs, person};
    use crate::domain::scoring::{PerCriterion, Scoring, ScoringRules};

    #[test]
    fn who_gains_and_who_loses_is_measured_by_the_rules_to_try() {
        // By topics 1 belongs to 11; by wishes 2 does, and 1 has to be content with 12.
        let mut people = inputs();
        people.mentees[1].needs = [("podcasts".to_owned(), 0)].into();
        people.mentees[1].participant.wishes = vec![person(11)];
        let mut by_wishes = people.clone();
        let weights = PerCriterion([1_000, 0, 0, 0, 9_000, 0, 0]);
        let rules = ScoringRules::try_new(weights, &[2_000]).unwrap();
        by_wishes.scoring = Scoring { version: 1, rules };
        let compared =
            compare(&frozen(people), &frozen(by_wishes), &Wishes::default(), &Progress::default()).unwrap();
        let [loses, gains] = compared.effects.as_slice() else { panic!("{compared:?}") };
        assert_eq!((loses.mentee, loses.gain()), (person(1), -500));
        assert_eq!((gains.mentee, gains.gain()), (person(2), 9_000));
        assert_eq!(gains.after, Some((person(11), 9_000)));
        assert_eq!(compared.proposed.bands, [(2_000, 1)]);
        assert_eq!((compared.current.pairs, compared.proposed.pairs), (2, 2));
    }

    #[test]
    fn bad_pairs_are_counted_by_one_ruler() {
        // The rules to try differ in nothing but a band, below which everybody is.
        let mut strict = inputs();
        strict.scoring.rules = ScoringRules::try_new(strict.scoring.rules.weights(), &[9_999]).unwrap();
        let compared =
            compare(&frozen(inputs()), &frozen(strict), &Wishes::default(), &Progress::default()).unwrap();
        assert_eq!(compared.current, compared.proposed);
        assert_eq!(compared.current.bands, [(9_999, 2)]);
    }

    #[test]
    fn places_that_are_apart_by_one_of_the_rules_alone_are_measured_apart() {
        // One mentor for both; by the rules to try the second place earns less, and it matters for the band whose it is.
        let mut people = inputs();
        people.mentors.truncate(1);
        people.mentors[0].places = 2;
        people.mentees[0].needs.insert("podcasts".to_owned(), 0);
        let weigh = |weights, bands: &[i32]| {
            let rules = ScoringRules::try_new(PerCriterion(weights), bands).unwrap();
            frozen(Inputs { scoring: Scoring { version: 1, rules }, ..people.clone() })
        };
        let alike = weigh([10_000, 0, 0, 0, 0, 0, 0], &[]);
        for band in [5_500, 6_000, 9_600] {
            let apart = weigh([9_000, 0, 0, 0, 0, 0, 1_000], &[band]);
            let compared = compare(&alike, &apart, &Wishes::default(), &Progress::default()).unwrap();
            assert_eq!(compared.current, compared.proposed, "the tandems are the same");
        }
    }

    #[test]
    fn the_same_rules_have_no_effect() {
        let compared =
            compare(&frozen(inputs()), &frozen(inputs()), &Wishes::default(), &Progress::default()).unwrap();
        assert_eq!(compared.effects, []);
        assert_eq!(compared.current, compared.proposed);
    }
}
