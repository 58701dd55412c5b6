//! The solver's problem of a run, and its answer.

use std::collections::{BTreeMap, BTreeSet};

use assignment::{Cancelled, Engine, Executive, Instance, Invalid, Problem, Progress, Refused, Solution};

use crate::domain::Pair;
use crate::domain::frozen::{Frozen, Seat, Seats};
use crate::domain::inputs::Participant;
use crate::domain::matrix::NoMatrix;
use crate::domain::outcome::{Found, Outcome};
use crate::domain::pairing::{Broken, Rule};

/// What the programme office wants of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Pairs that must be.
    pub locks: BTreeSet<Pair>,
    /// Pairs that must not be.
    pub forbids: BTreeSet<Pair>,
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
         who are not on leave, and executives who acknowledged and have no tandem.",
        .0.mentor, .0.mentee
    )]
    LockOutsideRun(Pair),
    /// A mentee is locked twice, or a mentor more often than there are places.
    #[error("The lock of the mentor {} with the mentee {} is one too many for one of the two.", .0.mentor, .0.mentee)]
    LockWithoutPlace(Pair),
    /// The pairs are too many, or the computation was ended.
    #[error("The run is not computed: {0}.")]
    NoMatrix(#[from] NoMatrix),
    /// The reasons of those without a mentor would name too many people.
    #[error("{0} executives would have no mentor, more than a run can explain: accept more mentors first.")]
    TooManyUnmatched(usize),
    /// The solver cannot take the problem.
    #[error("The run cannot be computed: {0}.")]
    Problem(Invalid),
    /// The solver cannot take the change of a wish.
    #[error("The run cannot be computed with other wishes: {0}.")]
    Changed(Refused),
}

/// The solver's problem of a run: executives are the mentees, its mentors are the [`Seat`]s.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    pub(super) frozen: &'a Frozen,
    /// The places, as the problem has them.
    pub seats: Seats,
    /// The problem.
    pub problem: Problem,
}

impl<'a> Question<'a> {
    /// Asks for the best answer that grants the wishes.
    ///
    /// # Errors
    /// The lock that cannot be granted.
    pub fn ask(frozen: &'a Frozen, wishes: &Wishes) -> Result<Self, Unsolvable> {
        Self::ask_with(frozen, wishes, |_, _| None)
    }

    /// The same, where pairs of a mentee that break rules are admitted all the same, with the score that `admit` gives them.
    ///
    /// # Errors
    /// The lock that cannot be granted.
    pub fn ask_with(
        frozen: &'a Frozen,
        wishes: &Wishes,
        admit: impl Fn(usize, Broken) -> Option<u16>,
    ) -> Result<Self, Unsolvable> {
        let seats = frozen.seats();
        let locks = place_locks(frozen, wishes, &seats)?;
        // The indices of more people than the solver takes do not exist there, and it says so.
        let index = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
        let mut pairs = Vec::new();
        for mentee in 0..frozen.inputs.mentees.len() {
            let score = |seat: &Seat| match verdict(frozen, wishes, mentee, seat.mentor) {
                Ok(()) => u16::try_from(frozen.points_at(mentee, *seat)?.score()).ok(),
                Err(broken) => admit(mentee, broken),
            };
            let row = seats.seats.iter().enumerate().filter_map(|(seat_index, seat)| {
                let (executive, mentor) = (index(mentee), index(seat_index));
                Some(assignment::Pair { executive, mentor, score: score(seat)? })
            });
            pairs.extend(row);
        }
        let executives = frozen.inputs.mentees.iter().map(|mentee| &mentee.participant);
        let mentor = |seat: &Seat| assignment::Mentor {
            key: place_key(key(&frozen.inputs.mentors[seat.mentor].participant), seat.place),
            capacity: seat.places,
        };
        let problem = Problem {
            executives: executives.map(|one| Executive { key: key(one), obliged: true }).collect(),
            mentors: seats.seats.iter().map(mentor).collect(),
            pairs,
            locks,
            bands: frozen.inputs.scoring.rules.bands().to_vec(),
        };
        Ok(Self { frozen, seats, problem })
    }

    /// Asks for the same pairs as those of an outcome, which is about the same people with the same wishes: only their places are open.
    pub fn keep_pairs(&mut self, outcome: &Outcome) {
        let seats = &self.seats.seats;
        self.problem.pairs.retain(|pair| {
            let (Ok(mentee), Ok(seat)) = (usize::try_from(pair.executive), usize::try_from(pair.mentor))
            else {
                return false;
            };
            outcome.found[mentee].is_some_and(|found| found.mentor == seats[seat].mentor)
        });
    }

    /// Finds the best answer; takes long for many people.
    ///
    /// # Errors
    /// [`Unsolvable::NoMatrix`] if that was asked of the progress, [`Unsolvable::Problem`] if the problem contradicts itself.
    pub fn solve(&self, progress: &Progress) -> Result<Solution, Unsolvable> {
        let instance = Instance::new(&self.problem).map_err(Unsolvable::Problem)?;
        let solved = instance.solve(progress).and_then(|mut engine| engine.solution(progress));
        solved.map_err(|Cancelled| NoMatrix::Cancelled.into())
    }

    /// Finds the best answer from that of a question about the same people.
    ///
    /// # Errors
    /// As for [`Question::solve`].
    pub fn resume(&self, earlier: &Solution, progress: &Progress) -> Result<Engine<'_>, Unsolvable> {
        let instance = Instance::new(&self.problem).map_err(Unsolvable::Problem)?;
        instance.resume(earlier, progress).map_err(|Cancelled| NoMatrix::Cancelled.into())
    }

    /// The indices of a pair at each of the mentor's places, with the pair and its score there; none if it breaks a hard rule.
    pub(super) fn scores(&self, pair: Pair) -> Vec<(usize, usize, Pair, u16)> {
        let (frozen, seats) = (self.frozen, self.seats.seats.iter().enumerate());
        let mentees = &frozen.inputs.mentees;
        let found = mentees.iter().position(|mentee| mentee.participant.standing.person == pair.mentee);
        let Some(mentee) = found else { return Vec::new() };
        let own = seats.filter(|(_, seat)| frozen.mentor(seat.mentor) == pair.mentor);
        let score = |seat: Seat| u16::try_from(frozen.points_at(mentee, seat)?.score()).ok();
        own.filter_map(|(index, seat)| Some((mentee, index, pair, score(*seat)?))).collect()
    }

    /// What an answer means for the people.
    #[must_use]
    pub fn outcome(&self, assignment: &[Option<usize>]) -> Outcome {
        let found = assignment.iter().enumerate().map(|(mentee, seat)| {
            let seat = self.seats.seats[(*seat)?];
            let points = self.frozen.points_at(mentee, seat)?;
            Some(Found { mentor: seat.mentor, place: seat.place, points })
        });
        Outcome { found: found.collect() }
    }
}

/// The best answer to these wishes, from nothing.
///
/// # Errors
/// [`Unsolvable`].
pub fn what_if(frozen: &Frozen, wishes: &Wishes, progress: &Progress) -> Result<Outcome, Unsolvable> {
    let question = Question::ask(frozen, wishes)?;
    Ok(question.outcome(&question.solve(progress)?.assignment))
}

/// An error if the computation is to end.
pub(super) fn stopped(progress: &Progress) -> Result<(), Unsolvable> {
    if progress.is_cancelled() { Err(NoMatrix::Cancelled.into()) } else { Ok(()) }
}

/// Whether two people may become a tandem in a run with these wishes.
///
/// # Errors
/// The rules that they break.
pub fn verdict(frozen: &Frozen, wishes: &Wishes, mentee: usize, mentor: usize) -> Result<(), Broken> {
    let broken = frozen.matrix.verdict(mentee, mentor).err();
    if wishes.forbids.is_empty() || !wishes.forbids.contains(&frozen.pair(mentee, mentor)) {
        return broken.map_or(Ok(()), Err);
    }
    let forbidden = broken.map(|broken| broken.with(Rule::Forbidden));
    forbidden.or(Broken::of([Rule::Forbidden])).map_or(Ok(()), Err)
}

/// The locks by index, each at the mentor's first place that no other lock has.
pub(super) fn place_locks(
    frozen: &Frozen,
    wishes: &Wishes,
    seats: &Seats,
) -> Result<Vec<(usize, usize)>, Unsolvable> {
    if wishes.locks.is_empty() {
        return Ok(Vec::new());
    }
    let (mentees, mentors) = (frozen.mentees(), frozen.mentors());
    let mut taken: BTreeMap<usize, u32> = BTreeMap::new();
    let mut locked = BTreeSet::new();
    let mut placed = Vec::with_capacity(wishes.locks.len());
    for lock in &wishes.locks {
        let two = (mentees.get(&lock.mentee), mentors.get(&lock.mentor));
        let (Some(&mentee), Some(&mentor)) = two else { return Err(Unsolvable::LockOutsideRun(*lock)) };
        if let Err(broken) = verdict(frozen, wishes, mentee, mentor) {
            return Err(Unsolvable::LockBreaksRule { pair: *lock, rule: broken.first() });
        }
        let place = taken.entry(mentor).or_default();
        let (Some(seat), true) = (seats.at(mentor, *place), locked.insert(mentee)) else {
            return Err(Unsolvable::LockWithoutPlace(*lock));
        };
        *place += 1;
        placed.push((mentee, seat));
    }
    Ok(placed)
}

/// What decides between equals: the half of an id that is a hash or random.
fn key(participant: &Participant) -> u64 {
    participant.standing.person.uuid().as_u64_pair().1
}

/// The key of a place; that of the first is the mentor's. The odd factor spreads the others far from all other keys.
fn place_key(mentor: u64, place: u32) -> u64 {
    mentor.wrapping_add(u64::from(place).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
