//! Why a run found what it found, and what another wish would cost everybody.

use assignment::{Progress, Solution};
use identity::PersonId;

use crate::domain::certificate;
use crate::domain::computation::{Question, Unsolvable, Wishes, verdict};
use crate::domain::frozen::Frozen;
use crate::domain::outcome::{Outcome, Price};
use crate::domain::pairing::{Broken, Points, Rule};
use crate::domain::solution::{Staged, Unmatched};
use crate::domain::standing::Standing;
use crate::domain::{Pair, Side};

/// The rules that an edition, its office or its people can give up; the others are somebody's word.
const RELAXABLE: [Rule; 7] = [
    Rule::Chain,
    Rule::SameSuperior,
    Rule::SameDepartment,
    Rule::FormerPair,
    Rule::NoCommonLanguage,
    Rule::NoCommonTime,
    Rule::Forbidden,
];

/// A person's view of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The person.
    pub person: PersonId,
    /// On which side.
    pub side: Side,
    /// Why this one: the tandem of a mentee, those of a mentor.
    pub tandems: Vec<PairView>,
    /// Who would come next, with the price to everybody.
    pub alternative: Option<PairView>,
    /// Why not that one.
    pub asked: Option<PairView>,
    /// Why nobody: for mentees alone.
    pub shortage: Option<Shortage>,
}

/// Two people of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairView {
    /// The two.
    pub pair: Pair,
    /// How well they fit, or the hard rules that they break.
    pub verdict: Result<Points, Broken>,
    /// What the pair would cost everybody; none for a tandem of the run, and where it cannot be had.
    pub price: Option<Price>,
    /// Whether the run has the pair.
    pub is_tandem: bool,
}

/// Why a mentee has no mentor, and what would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The executives who together have too few places.
    pub unmatched: Unmatched,
    /// The rules that could be relaxed for them, the most helpful first.
    pub relaxations: Vec<Relaxation>,
}

/// What giving up one hard rule would bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relaxation {
    /// The rule.
    pub rule: Rule,
    /// Pairs that only this rule forbids.
    pub pairs: usize,
    /// Executives more who would have a mentor.
    pub matched: usize,
}

/// Two executives who get each other's mentor.
pub type Swap = (PersonId, PersonId);

/// Why there is no explanation or price.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unexplained {
    /// The run is not about this person.
    #[error("The person {0} is not in the match run.")]
    NotInRun(PersonId),
    /// A tandem needs one of each side.
    #[error("The person {0} is not on the other side of the match run.")]
    NotOpposite(PersonId),
    /// Only mentors who were found can be swapped.
    #[error("The executive {0} has no mentor in the match run who could be swapped.")]
    NothingToSwap(PersonId),
    /// The run does not belong to its inputs.
    #[error("The match run names people who are not in its inputs.")]
    OtherInputs,
    /// What is asked cannot be.
    #[error(transparent)]
    Unsolvable(#[from] Unsolvable),
}

/// Explains a run to one person, and why somebody of the other side was not found.
///
/// # Errors
/// [`Unexplained`].
pub fn explain(
    frozen: &Frozen,
    staged: &Staged,
    person: PersonId,
    other: Option<PersonId>,
    progress: &Progress,
) -> Result<Explanation, Unexplained> {
    let outcome = Outcome::of_staged(frozen, staged).ok_or(Unexplained::OtherInputs)?;
    let question = Standing::question(frozen, &staged.wishes)?;
    let found = found(frozen, &question, staged)?;
    let standing = Standing::keep(&question, &found, &staged.wishes, progress)?;
    let view = View { frozen, staged, outcome, found: &found, standing, progress };
    let (mentees, mentors) = (frozen.mentees(), frozen.mentors());
    let (side, own): (_, Vec<(usize, usize)>) = match (mentees.get(&person), mentors.get(&person)) {
        (Some(&mentee), _) => {
            let found = view.outcome.found[mentee].iter();
            (Side::Mentee, found.map(|found| (mentee, found.mentor)).collect())
        }
        (None, Some(&mentor)) => {
            (Side::Mentor, view.outcome.mentees_of(mentor).map(|mentee| (mentee, mentor)).collect())
        }
        (None, None) => return Err(Unexplained::NotInRun(person)),
    };
    let opposite = |other: PersonId| {
        let two = match side {
            Side::Mentee => mentees.get(&person).zip(mentors.get(&other)),
            Side::Mentor => mentees.get(&other).zip(mentors.get(&person)),
        };
        two.map(|(mentee, mentor)| (*mentee, *mentor)).ok_or(Unexplained::NotOpposite(other))
    };
    let asked = other.map(opposite).transpose()?;
    Ok(Explanation {
        person,
        side,
        tandems: own.iter().map(|(mentee, mentor)| view.of_pair(*mentee, *mentor, None)).collect(),
        alternative: view.alternative(side, &own)?,
        asked: asked.map(|(mentee, mentor)| view.asked(mentee, mentor)).transpose()?,
        shortage: view.shortage(person)?,
    })
}

/// What other wishes would cost everybody, compared with the run as it stands.
///
/// # Errors
/// [`Unexplained`].
pub fn price(
    frozen: &Frozen,
    staged: &Staged,
    mut wishes: Wishes,
    swaps: &[Swap],
    progress: &Progress,
) -> Result<Price, Unexplained> {
    let outcome = Outcome::of_staged(frozen, staged).ok_or(Unexplained::OtherInputs)?;
    let question = Standing::question(frozen, &staged.wishes)?;
    let found = found(frozen, &question, staged)?;
    let standing = Standing::keep(&question, &found, &staged.wishes, progress)?;
    let mentor_of = |mentee: PersonId| {
        let proposed = staged.pairs.iter().find(|proposed| proposed.pair.mentee == mentee);
        proposed.map(|proposed| proposed.pair.mentor).ok_or(Unexplained::NothingToSwap(mentee))
    };
    for (one, other) in swaps {
        let (mentor_of_one, mentor_of_other) = (mentor_of(*one)?, mentor_of(*other)?);
        wishes.locks.retain(|lock| ![*one, *other].contains(&lock.mentee));
        wishes.locks.insert(Pair { mentor: mentor_of_other, mentee: *one });
        wishes.locks.insert(Pair { mentor: mentor_of_one, mentee: *other });
    }
    Ok(outcome.price_of(&standing.what_if(&wishes, progress)?, frozen))
}

fn found(frozen: &Frozen, question: &Question<'_>, staged: &Staged) -> Result<Solution, Unexplained> {
    certificate::solution(frozen, question, staged).map_err(|_| Unexplained::OtherInputs)
}

/// A run to be explained.
struct View<'a> {
    frozen: &'a Frozen,
    staged: &'a Staged,
    outcome: Outcome,
    found: &'a Solution,
    standing: Standing<'a>,
    progress: &'a Progress,
}

impl View<'_> {
    fn of_pair(&self, mentee: usize, mentor: usize, price: Option<Price>) -> PairView {
        let found = self.outcome.found[mentee].filter(|found| found.mentor == mentor);
        let judged = || {
            verdict(self.frozen, &self.staged.wishes, mentee, mentor)?;
            self.frozen.matrix.verdict(mentee, mentor)
        };
        PairView {
            pair: self.frozen.pair(mentee, mentor),
            verdict: found.map_or_else(judged, |found| Ok(found.points)),
            price,
            is_tandem: found.is_some(),
        }
    }

    /// Who comes next if none of these pairs can be.
    fn alternative(&self, side: Side, own: &[(usize, usize)]) -> Result<Option<PairView>, Unexplained> {
        let Some((mentee, mentor)) = own.first().copied() else { return Ok(None) };
        let mut wishes = self.staged.wishes.clone();
        for (mentee, mentor) in own {
            let pair = self.frozen.pair(*mentee, *mentor);
            wishes.locks.remove(&pair);
            wishes.forbids.insert(pair);
        }
        let then = self.standing.what_if(&wishes, self.progress)?;
        let next = match side {
            Side::Mentee => then.found[mentee].map(|found| (mentee, found.mentor)),
            Side::Mentor => then.mentees_of(mentor).next().map(|mentee| (mentee, mentor)),
        };
        let price = || Some(self.outcome.price_of(&then, self.frozen));
        Ok(next.map(|(mentee, mentor)| self.of_pair(mentee, mentor, price())))
    }

    fn asked(&self, mentee: usize, mentor: usize) -> Result<PairView, Unexplained> {
        let view = self.of_pair(mentee, mentor, None);
        if view.is_tandem || view.verdict.is_err() {
            return Ok(view);
        }
        let mut wishes = self.staged.wishes.clone();
        wishes.locks.retain(|lock| lock.mentee != view.pair.mentee);
        wishes.locks.insert(view.pair);
        match self.standing.what_if(&wishes, self.progress) {
            Ok(then) => Ok(PairView { price: Some(self.outcome.price_of(&then, self.frozen)), ..view }),
            // All places of the mentor are bound by other locks.
            Err(Unsolvable::LockWithoutPlace(_)) => Ok(view),
            Err(other) => Err(other.into()),
        }
    }

    fn shortage(&self, person: PersonId) -> Result<Option<Shortage>, Unexplained> {
        let unmatched = self.staged.unmatched.iter().find(|unmatched| unmatched.mentee == person);
        let Some(unmatched) = unmatched else { return Ok(None) };
        let mut relaxations = Vec::new();
        for rule in RELAXABLE {
            relaxations.extend(self.relaxation(rule, unmatched)?);
        }
        relaxations.sort_by_key(|relaxation| std::cmp::Reverse((relaxation.matched, relaxation.pairs)));
        Ok(Some(Shortage { unmatched: unmatched.clone(), relaxations }))
    }

    /// What it would bring to give up a rule for executives who have too few places; none if no pair fails by it alone.
    fn relaxation(&self, rule: Rule, unmatched: &Unmatched) -> Result<Option<Relaxation>, Unexplained> {
        let (frozen, wishes) = (self.frozen, &self.staged.wishes);
        let concerned: Vec<bool> = (0..frozen.inputs.mentees.len())
            .map(|mentee| unmatched.competing.contains(&frozen.mentee(mentee)))
            .collect();
        let fails_by_it = |mentee: usize, mentor: usize| {
            verdict(frozen, wishes, mentee, mentor).is_err_and(|broken| broken.is_only(rule))
        };
        let of_mentee =
            |mentee| (0..frozen.inputs.mentors.len()).filter(|mentor| fails_by_it(mentee, *mentor)).count();
        let pairs = (0..concerned.len()).filter(|mentee| concerned[*mentee]).map(of_mentee).sum();
        if pairs == 0 {
            return Ok(None);
        }
        // Covering comes before all scores, so that it does not matter which score a pair has that breaks a rule.
        let admit = |mentee: usize, broken: Broken| (concerned[mentee] && broken.is_only(rule)).then_some(0);
        let question = Question::ask_with(frozen, wishes, admit)?;
        let covered = question.resume(self.found, self.progress)?.assignment().iter().flatten().count();
        let matched = covered.saturating_sub(self.staged.pairs.len());
        Ok(Some(Relaxation { rule, pairs, matched }))
    }
}

#[cfg(test)]
mod tests;
