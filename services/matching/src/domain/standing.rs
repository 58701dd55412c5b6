//! A run as it stands, kept by the solver: what other wishes would lead to is a few shortest paths away.

use assignment::{Change, Engine, Progress, Solution};

use crate::domain::computation::{Question, Unsolvable, Wishes, place_locks, stopped};
use crate::domain::frozen::Frozen;
use crate::domain::outcome::Outcome;

/// The best answer to the wishes of a run.
///
/// Its question lists the pairs that the office forbids as well: only pairs that were listed can come back when a wish is given up.
#[derive(Debug)]
pub struct Standing<'q> {
    question: &'q Question<'q>,
    engine: Engine<'q>,
    wishes: Wishes,
}

impl<'q> Standing<'q> {
    /// The question that a run with these wishes is kept for.
    ///
    /// # Errors
    /// The lock that cannot be granted.
    pub fn question<'a>(frozen: &'a Frozen, wishes: &Wishes) -> Result<Question<'a>, Unsolvable> {
        Question::ask(frozen, &Wishes { locks: wishes.locks.clone(), ..Wishes::default() })
    }

    /// Keeps the answer that was found for these wishes; it is where the solver begins.
    ///
    /// # Errors
    /// [`Unsolvable::NoMatrix`] if that was asked of the progress.
    pub fn keep(
        question: &'q Question<'q>,
        found: &Solution,
        wishes: &Wishes,
        progress: &Progress,
    ) -> Result<Self, Unsolvable> {
        let engine = question.resume(found, progress)?;
        let unforbidden = Wishes { locks: wishes.locks.clone(), ..Wishes::default() };
        let kept = Self { question, engine, wishes: unforbidden };
        let engine = kept.changed(wishes, progress)?;
        Ok(Self { engine, wishes: wishes.clone(), ..kept })
    }

    /// The best answer if the wishes were these; this is what a lock, a forbidden pair or a swap would lead to, exactly.
    ///
    /// # Errors
    /// [`Unsolvable`].
    pub fn what_if(&self, wishes: &Wishes, progress: &Progress) -> Result<Outcome, Unsolvable> {
        Ok(self.question.outcome(&self.changed(wishes, progress)?.assignment()))
    }

    /// The answer after the wishes have become others: what is given up goes first, so that places are never bound twice.
    fn changed(&self, wishes: &Wishes, progress: &Progress) -> Result<Engine<'q>, Unsolvable> {
        let (frozen, seats) = (self.question.frozen, &self.question.seats);
        let before = place_locks(frozen, &self.wishes, seats)?;
        let after = place_locks(frozen, wishes, seats)?;
        let given_up = before.iter().filter(|lock| !after.contains(lock));
        let unlocked = given_up.map(|&(executive, _)| Change::Lock { executive, mentor: None });
        let differing = self.wishes.forbids.symmetric_difference(&wishes.forbids);
        let points = differing.flat_map(|pair| self.question.scores(*pair));
        let scored = points.map(|(executive, mentor, pair, score)| {
            let score = Some(score).filter(|_| !wishes.forbids.contains(&pair));
            Change::Score { executive, mentor, score }
        });
        let taken_on = after.iter().filter(|lock| !before.contains(lock));
        let locked = taken_on.map(|&(executive, mentor)| Change::Lock { executive, mentor: Some(mentor) });
        let mut engine = self.engine.clone();
        for change in unlocked.chain(scored).chain(locked) {
            stopped(progress)?;
            engine.apply(change).map_err(Unsolvable::Changed)?;
        }
        Ok(engine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Pair;
    use crate::domain::certificate;
    use crate::domain::computation::what_if;
    use crate::domain::frozen::tests::frozen;
    use crate::domain::inputs::Inputs;
    use crate::domain::inputs::tests::{inputs, mentee, mentor, pair};
    use crate::domain::scoring::{PerCriterion, Scoring, ScoringRules};
    use crate::domain::solution::solve;

    /// Four executives, three mentors with four places, of which the second of a mentor earns less.
    fn people() -> Inputs {
        let mut people = inputs();
        people.mentees.push(mentee(3, &[100], &[("hashtags", 0), ("podcasts", 2)]));
        people.mentees.push(mentee(4, &[100], &[("podcasts", 1)]));
        people.mentors.push(mentor(13, &[23, 33, 43, 100], &[("podcasts", 3), ("hashtags", 3)]));
        people.mentors[0].places = 2;
        let weights = PerCriterion([6_000, 1_000, 0, 1_000, 0, 0, 2_000]);
        people.scoring =
            Scoring { version: 1, rules: ScoringRules::try_new(weights, &[2_000, 3_000]).unwrap() };
        people
    }

    /// No wish, every lock, every forbidden pair, and a lock beside each forbidden pair.
    fn all_wishes() -> Vec<Wishes> {
        let pairs = || [11, 12, 13].into_iter().flat_map(|one| (1..=4).map(move |other| pair(one, other)));
        let wishes = |locks: &[Pair], forbids: &[Pair]| Wishes {
            locks: locks.iter().copied().collect(),
            forbids: forbids.iter().copied().collect(),
        };
        let single = pairs().flat_map(|pair| [wishes(&[pair], &[]), wishes(&[], &[pair])]);
        let double = pairs().map(|other| wishes(&[pair(11, 2)], &[other]));
        let twice = [1, 3, 4].map(|other| wishes(&[pair(11, 2), pair(11, other)], &[pair(12, 2)]));
        std::iter::once(Wishes::default()).chain(single).chain(double).chain(twice).collect()
    }

    #[test]
    fn what_follows_from_other_wishes_is_what_a_solve_from_nothing_finds() {
        let (frozen, progress) = (frozen(people()), Progress::default());
        for wishes in all_wishes() {
            let Ok(staged) = solve(&frozen, wishes.clone(), &progress) else { continue };
            let question = Standing::question(&frozen, &wishes).unwrap();
            let found = certificate::solution(&frozen, &question, &staged).unwrap();
            let standing = Standing::keep(&question, &found, &wishes, &progress).unwrap();
            for others in all_wishes() {
                assert_eq!(
                    standing.what_if(&others, &progress),
                    what_if(&frozen, &others, &progress),
                    "{wishes:?} then {others:?}"
                );
            }
        }
    }

    #[test]
    fn it_ends_when_somebody_asks_for_it() {
        let (frozen, progress) = (frozen(people()), Progress::default());
        let staged = solve(&frozen, Wishes::default(), &progress).unwrap();
        let question = Standing::question(&frozen, &staged.wishes).unwrap();
        let found = certificate::solution(&frozen, &question, &staged).unwrap();
        let standing = Standing::keep(&question, &found, &staged.wishes, &progress).unwrap();
        progress.cancel();
        let locks = [pair(12, 1)].into();
        let ended = standing.what_if(&Wishes { locks, ..Wishes::default() }, &progress);
        assert!(matches!(ended, Err(Unsolvable::NoMatrix(_))));
    }
}
