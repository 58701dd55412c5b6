//! One round in which those who are left over are served, one after the other, with what there is.
//!
//! First everybody is served whom a free mentor may teach, and then those for whom somebody else has to be moved: one who is hard to
//! serve keeps nobody waiting who is not.
//!
//! What was judged for one of them is not judged again for the next, and what one is offered the next does not find. A round looks
//! at so many pairs at most that it takes a fraction of a second; whoever it does not come to stands in line for the next.

use std::collections::{BTreeMap, BTreeSet};

use identity::{PersonId, TandemId};

use crate::domain::Pair;
use crate::domain::computation::Unsolvable;
use crate::domain::frontier::{self, Offered, Situation, Step, Unanswered};
use crate::domain::inputs::Inputs;
use crate::domain::pairing::{self, Points};
use crate::domain::repair::{self, Looked, Options};
use crate::domain::scoring::Criterion;
use crate::domain::tandem::Key;

/// With what executives are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// With free mentors alone.
    Free,
    /// With moves as well.
    Moves,
}

/// The people of a round, and what was judged of them.
#[derive(Debug)]
pub struct Round {
    inputs: Inputs,
    mentors: BTreeMap<PersonId, usize>,
    mentees: BTreeMap<PersonId, usize>,
    unanswered: Vec<Unanswered>,
    /// Executives who have a tandem or an offer.
    served: BTreeSet<PersonId>,
    /// Pairs whose offer ended in silence.
    silent: BTreeSet<Pair>,
    /// How many offers executives let end in silence.
    silences: BTreeMap<PersonId, i64>,
    judged: BTreeMap<Pair, Option<Points>>,
    reach: Reach,
    looked: usize,
    looked_max: usize,
}

impl Round {
    /// A round with these people: the mentors who may be asked, those executives among the mentees who are left over and those who
    /// have an unanswered offer that may be moved.
    #[must_use]
    pub fn new(
        inputs: Inputs,
        unanswered: Vec<Unanswered>,
        served: BTreeSet<PersonId>,
        silent: BTreeSet<Pair>,
        silences: BTreeMap<PersonId, i64>,
    ) -> Self {
        let mentors = inputs.mentors.iter().map(|mentor| mentor.participant.standing.person);
        let mentees = inputs.mentees.iter().map(|mentee| mentee.participant.standing.person);
        let (mentors, mentees) = (mentors.zip(0..).collect(), mentees.zip(0..).collect());
        let (judged, reach, looked, looked_max) = (BTreeMap::new(), Reach::Moves, 0, usize::MAX);
        Self {
            inputs,
            mentors,
            mentees,
            unanswered,
            served,
            silent,
            silences,
            judged,
            reach,
            looked,
            looked_max,
        }
    }

    /// From here on it looks at so many pairs, and the first executive's own if these are more.
    pub const fn look(&mut self, reach: Reach, pairs: usize) {
        (self.reach, self.looked, self.looked_max) = (reach, 0, pairs);
    }

    /// How many offers an executive let end in silence.
    #[must_use]
    pub fn silences(&self, mentee: PersonId) -> i64 {
        self.silences.get(&mentee).copied().unwrap_or_default()
    }

    /// How an executive can be served; none if the executive takes no part, has a tandem or an offer, or has to wait for the moves.
    ///
    /// Nothing is looked for one who was silent too often.
    ///
    /// # Errors
    /// [`Unsolvable`] if the solver cannot take the situation.
    pub fn options(&mut self, mentee: PersonId) -> Result<Option<Options>, Unsolvable> {
        if !self.mentees.contains_key(&mentee) || self.served.contains(&mentee) {
            return Ok(None);
        }
        let options = self.look_for(mentee)?;
        Ok((self.reach == Reach::Moves || !options.frontier.is_empty()).then_some(options))
    }

    fn look_for(&mut self, mentee: PersonId) -> Result<Options, Unsolvable> {
        let nowhere = Options { frontier: Vec::new(), looked: Looked::Nowhere };
        if repair::is_silent(self.silences(mentee)) {
            return Ok(nowhere);
        }
        let free = self.inputs.mentors.iter().filter(|mentor| mentor.places > 0);
        let free: Vec<_> = free.map(|mentor| mentor.participant.standing.person).collect();
        let (own, unanswered) = match self.reach {
            Reach::Free => (free.len(), Vec::new()),
            Reach::Moves => (self.mentors.len(), self.unanswered.clone()),
        };
        let is_first = self.looked == 0;
        let left = self.looked_max.saturating_sub(self.looked);
        if !is_first && left < own {
            return Ok(nowhere);
        }
        let situation = Situation { mentee, free, unanswered };
        let bands = self.inputs.scoring.rules.bands().to_vec();
        let found = frontier::frontier(&situation, &bands, left, |pair| self.fits(pair))?;
        self.looked += found.looked;
        let looked = match found {
            _ if found.is_whole => Looked::Everywhere,
            _ if is_first || !found.steps.is_empty() => Looked::Partly,
            // The next round has more left for whoever comes first in it.
            _ => Looked::Nowhere,
        };
        Ok(Options { frontier: found.steps, looked })
    }

    /// Notes that an executive is served this way.
    pub fn take(&mut self, key: &repair::Key, step: &Step) {
        if let Some(moved) = &step.moved {
            self.give_back(moved.from.tandem);
        }
        for offered in [Some(step.offer), step.moved.map(|moved| moved.to)].into_iter().flatten() {
            self.offer(key, offered);
        }
    }

    /// Notes that an offer has just been answered, and can be moved no more.
    pub fn answered(&mut self, tandem: TandemId) {
        self.unanswered.retain(|other| other.tandem != tandem);
    }

    fn give_back(&mut self, tandem: TandemId) {
        let Some(from) = self.unanswered.iter().find(|other| other.tandem == tandem).copied() else { return };
        self.answered(tandem);
        if let Some(mentor) = self.mentors.get(&from.pair.mentor).map(|at| &mut self.inputs.mentors[*at]) {
            (mentor.places, mentor.taken) = (mentor.places + 1, mentor.taken.saturating_sub(1));
        }
    }

    fn offer(&mut self, key: &repair::Key, Offered { pair, points }: Offered) {
        let tandem = Key::of_repair(key.repair, key.edition, pair).tandem;
        self.unanswered.push(Unanswered { tandem, pair, points });
        self.served.insert(pair.mentee);
        if let Some(mentor) = self.mentors.get(&pair.mentor).map(|at| &mut self.inputs.mentors[*at]) {
            (mentor.places, mentor.taken) = (mentor.places.saturating_sub(1), mentor.taken + 1);
        }
    }

    /// How well two fit who may be paired, with the places as they are by now.
    fn fits(&mut self, pair: Pair) -> Option<Points> {
        let mentor = &self.inputs.mentors[*self.mentors.get(&pair.mentor)?];
        let mentee = &self.inputs.mentees[*self.mentees.get(&pair.mentee)?];
        if self.silent.contains(&pair) {
            return None;
        }
        let (rules, scoring) = (&self.inputs.rules, &self.inputs.scoring);
        let past = self.inputs.past.get(&pair).copied();
        let judge = || pairing::assess(rules, scoring, mentor, mentee, past).ok();
        let points = (*self.judged.entry(pair).or_insert_with(judge))?;
        // A mentor without a free place is offered only in the place of an offer that is taken back.
        let load = pairing::next_load_points(scoring, mentor);
        Some(Points { by: points.by.with(Criterion::LoadBalance, load), ..points })
    }
}

#[cfg(test)]
mod tests;
