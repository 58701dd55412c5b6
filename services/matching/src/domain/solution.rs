//! The best set of tandems for frozen inputs, explained and proved.

use std::collections::{BTreeMap, BTreeSet};

use assignment::{Executive, Invalid, Problem, Solution};
use identity::PersonId;

use crate::domain::Pair;
use crate::domain::certificate::{self, Certificate};
use crate::domain::inputs::{Inputs, Participant};
use crate::domain::pairing::{self, Points, Rule};

/// Scores below which a pair is unfair, and below which it is poor: as few as possible of the former, then of the latter.
const FAIRNESS_BANDS: [u16; 2] = [2_000, 3_000];

/// What the programme office wants of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Pairs that must be.
    pub locks: BTreeSet<Pair>,
    /// Pairs that must not be.
    pub forbids: BTreeSet<Pair>,
}

/// What a computation found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The digest of the inputs.
    pub inputs_digest: String,
    /// Executives in the run.
    pub mentee_count: i32,
    /// Places of the mentors in the run.
    pub place_count: i32,
    /// The tandems, by mentee.
    pub pairs: Vec<Proposed>,
    /// Executives without a mentor, by person.
    pub unmatched: Vec<Unmatched>,
    /// Proof of the optimum.
    pub certificate: Certificate,
    /// Pairs who would both rather have each other.
    pub blocking_pair_count: i32,
    /// What the office wanted.
    pub wishes: Wishes,
}

impl Staged {
    /// The sum of the scores.
    #[must_use]
    pub fn score(&self) -> i32 {
        let sum: i64 = self.pairs.iter().map(|proposed| i64::from(proposed.points.score())).sum();
        count(sum)
    }
}

/// A tandem that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// The two.
    pub pair: Pair,
    /// What the score is made of.
    pub points: Points,
    /// Whether the office locked it.
    pub locked: bool,
}

/// An executive without a mentor, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// The executive.
    pub mentee: PersonId,
    /// The executives who together have too few places, this one among them.
    pub competing: Vec<PersonId>,
    /// The only mentors these executives could have; none if no accepted mentor keeps the hard rules.
    pub mentors: Vec<PersonId>,
    /// The places of these mentors.
    pub places: i32,
}

/// Why there is no solution.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsolvable {
    /// A lock is forbidden by a rule.
    #[error(
        "The mentor {} cannot be locked with the mentee {} ({}): {rule}",
        pair.mentor, pair.mentee, rule.name()
    )]
    LockBreaksRule {
        /// The locked pair.
        pair: Pair,
        /// The first rule that it breaks.
        rule: Rule,
    },
    /// A lock names somebody who does not take part in the run.
    #[error(
        "The mentor {} and the mentee {} cannot be locked: a run is about accepted mentors with a free place \
         and executives who acknowledged and have no tandem.",
        .0.mentor, .0.mentee
    )]
    LockOutsideRun(Pair),
    /// A mentee is locked twice, or a mentor more often than there are places.
    #[error("The lock of the mentor {} with the mentee {} is one too many for one of the two.", .0.mentor, .0.mentee)]
    LockWithoutPlace(Pair),
    /// The solver cannot take the problem.
    #[error("The run cannot be computed: {0}.")]
    Problem(Invalid),
}

/// Computes the best set of tandems; takes long for many people.
///
/// # Errors
/// The wish that cannot be granted.
pub fn solve(inputs: &Inputs, wishes: Wishes) -> Result<Staged, Unsolvable> {
    let admissible = admissible(inputs, &wishes.forbids);
    let locks = wishes.locks.iter().map(|lock| place_lock(inputs, &wishes, &admissible, *lock));
    let locks = locks.collect::<Result<Vec<_>, _>>()?;
    let problem = problem(inputs, &admissible, locks);
    let solution = assignment::solve(&problem).map_err(|invalid| unsolvable(invalid, &wishes))?;

    let pairs = solution.assignment.iter().enumerate().filter_map(|(mentee, mentor)| {
        let points = admissible[mentee].get(&(*mentor)?)?;
        let pair = pair(inputs, mentee, (*mentor)?);
        Some(Proposed { pair, points: *points, locked: wishes.locks.contains(&pair) })
    });
    let prices = inputs.mentors.iter().zip(&solution.certificate.prices);
    Ok(Staged {
        inputs_digest: inputs.digest(),
        mentee_count: count(inputs.mentees.len()),
        place_count: inputs.mentors.iter().map(|mentor| count(mentor.places)).sum(),
        pairs: pairs.collect(),
        unmatched: unmatched(inputs, &problem, &solution),
        certificate: Certificate {
            prices: prices
                .map(|(mentor, price)| (mentor.participant.standing.person, certificate::integer(*price)))
                .collect(),
            cost: certificate::integer(solution.certificate.cost),
            verified: assignment::check::check(&problem, &solution).is_ok(),
        },
        blocking_pair_count: count(assignment::blocking_pairs(&problem, &solution)),
        wishes,
    })
}

/// Per mentee, the mentors who keep the hard rules, by index.
type Admissible = Vec<BTreeMap<usize, Points>>;

fn admissible(inputs: &Inputs, forbids: &BTreeSet<Pair>) -> Admissible {
    let row = |mentee| {
        let verdicts =
            (0..inputs.mentors.len()).map(|mentor| (mentor, assess(inputs, forbids, mentee, mentor)));
        verdicts.filter_map(|(mentor, verdict)| Some((mentor, verdict.ok()?))).collect()
    };
    (0..inputs.mentees.len()).map(row).collect()
}

fn assess(inputs: &Inputs, forbids: &BTreeSet<Pair>, mentee: usize, mentor: usize) -> Result<Points, Rule> {
    let pair = pair(inputs, mentee, mentor);
    if forbids.contains(&pair) {
        return Err(Rule::Forbidden);
    }
    let past = inputs.past.get(&pair).copied();
    pairing::assess(&inputs.rules, &inputs.mentors[mentor], &inputs.mentees[mentee], past)
}

fn pair(inputs: &Inputs, mentee: usize, mentor: usize) -> Pair {
    Pair {
        mentor: inputs.mentors[mentor].participant.standing.person,
        mentee: inputs.mentees[mentee].participant.standing.person,
    }
}

fn place_lock(
    inputs: &Inputs,
    wishes: &Wishes,
    admissible: &Admissible,
    lock: Pair,
) -> Result<(usize, usize), Unsolvable> {
    let mentee = inputs.mentees.iter().position(|mentee| mentee.participant.standing.person == lock.mentee);
    let mentor = inputs.mentors.iter().position(|mentor| mentor.participant.standing.person == lock.mentor);
    let (Some(mentee), Some(mentor)) = (mentee, mentor) else { return Err(Unsolvable::LockOutsideRun(lock)) };
    if admissible[mentee].contains_key(&mentor) {
        return Ok((mentee, mentor));
    }
    match assess(inputs, &wishes.forbids, mentee, mentor) {
        Err(rule) => Err(Unsolvable::LockBreaksRule { pair: lock, rule }),
        Ok(_) => Ok((mentee, mentor)),
    }
}

fn problem(inputs: &Inputs, admissible: &Admissible, locks: Vec<(usize, usize)>) -> Problem {
    let pairs = admissible.iter().enumerate().flat_map(|(executive, row)| {
        row.iter().map(move |(mentor, points)| {
            // The indices of more people than the solver takes do not exist there, and it says so.
            let [executive, mentor] =
                [executive, *mentor].map(|index| u32::try_from(index).unwrap_or(u32::MAX));
            let score = u16::try_from(points.score()).unwrap_or_default();
            assignment::Pair { executive, mentor, score }
        })
    });
    let executives =
        inputs.mentees.iter().map(|mentee| Executive { key: key(&mentee.participant), obliged: true });
    let mentors = inputs
        .mentors
        .iter()
        .map(|mentor| assignment::Mentor { key: key(&mentor.participant), capacity: mentor.places });
    Problem {
        executives: executives.collect(),
        mentors: mentors.collect(),
        pairs: pairs.collect(),
        locks,
        bands: FAIRNESS_BANDS.to_vec(),
    }
}

/// What decides between equals: the half of an id that is a hash or random.
fn key(participant: &Participant) -> u64 {
    participant.standing.person.uuid().as_u64_pair().1
}

fn unsolvable(invalid: Invalid, wishes: &Wishes) -> Unsolvable {
    let (Invalid::LockRepeated { lock } | Invalid::LockOverCapacity { lock }) = invalid else {
        return Unsolvable::Problem(invalid);
    };
    wishes
        .locks
        .iter()
        .nth(lock)
        .map_or(Unsolvable::Problem(invalid), |pair| Unsolvable::LockWithoutPlace(*pair))
}

fn unmatched(inputs: &Inputs, problem: &Problem, solution: &Solution) -> Vec<Unmatched> {
    let mentee = |index: usize| inputs.mentees[index].participant.standing.person;
    let mentor = |index: usize| inputs.mentors[index].participant.standing.person;
    let shortages = (0..inputs.mentees.len()).filter_map(|index| {
        let shortage = assignment::shortage(problem, solution, index)?;
        Some(Unmatched {
            mentee: mentee(index),
            competing: shortage.executives.into_iter().map(mentee).collect(),
            mentors: shortage.mentors.into_iter().map(mentor).collect(),
            places: count(shortage.places),
        })
    });
    shortages.collect()
}

/// A number of people, places or points, as the interfaces count.
fn count(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
