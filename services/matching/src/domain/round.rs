//! One round in which those who are left over are served, one after the other, with what there is.
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
    judged: BTreeMap<Pair, Option<Points>>,
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
    ) -> Self {
        let mentors = inputs.mentors.iter().map(|mentor| mentor.participant.standing.person);
        let mentees = inputs.mentees.iter().map(|mentee| mentee.participant.standing.person);
        let (mentors, mentees) = (mentors.zip(0..).collect(), mentees.zip(0..).collect());
        let (judged, looked, looked_max) = (BTreeMap::new(), 0, usize::MAX);
        Self { inputs, mentors, mentees, unanswered, served, silent, judged, looked, looked_max }
    }

    /// Bounds how many pairs it looks at; the first executive's own come on top if there are more.
    pub const fn look_at_most(&mut self, pairs: usize) {
        self.looked_max = pairs;
    }

    /// How an executive can be served; none if the executive takes no part, or has a tandem or an offer.
    ///
    /// # Errors
    /// [`Unsolvable`] if the solver cannot take the situation.
    pub fn options(&mut self, mentee: PersonId) -> Result<Option<Options>, Unsolvable> {
        if !self.mentees.contains_key(&mentee) || self.served.contains(&mentee) {
            return Ok(None);
        }
        let is_first = self.looked == 0;
        let left = self.looked_max.saturating_sub(self.looked);
        if !is_first && left < self.mentors.len() {
            return Ok(Some(Options { frontier: Vec::new(), looked: Looked::Nowhere }));
        }
        let free = self.inputs.mentors.iter().filter(|mentor| mentor.places > 0);
        let situation = Situation {
            mentee,
            free: free.map(|mentor| mentor.participant.standing.person).collect(),
            unanswered: self.unanswered.clone(),
        };
        let bands = self.inputs.scoring.rules.bands().to_vec();
        let found = frontier::frontier(&situation, &bands, left, |pair| self.fits(pair))?;
        self.looked += found.looked;
        let looked = match found {
            _ if found.is_whole => Looked::Everywhere,
            _ if is_first || !found.steps.is_empty() => Looked::Partly,
            // The next round has more left for whoever comes first in it.
            _ => Looked::Nowhere,
        };
        Ok(Some(Options { frontier: found.steps, looked }))
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
