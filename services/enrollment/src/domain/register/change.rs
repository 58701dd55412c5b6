//! What a record makes of its worker, and of who that is.

use std::sync::Arc;

use identity::PersonId;
use jiff::ToSpan;
use jiff::civil::Date;

use super::{Fresh, Moment, Register};
use crate::domain::worker::{Change, Employment, Outcome, State, Stored, Tombstone, Worker};

impl Register {
    /// Takes a worker over; the answer is the key of another if that one has the personnel number.
    pub(super) fn describe(
        &mut self,
        rank: i32,
        place: Option<usize>,
        worker: &Worker,
        at: Moment,
        fresh: Fresh,
    ) -> Result<(PersonId, Outcome), Arc<str>> {
        let person = self.whose(rank, place, worker, at, fresh)?;
        let before = place.map(|place| &self.rows[place].stored);
        let known = before.filter(|before| is_known(before));
        let created_at = known.map_or(at.now, |before| before.created_at);
        let (state, last_day) = match worker.employment {
            Employment::Inactive => {
                let has_ended = |before: &&Stored| {
                    before.worker.employment == Employment::Inactive || before.state == State::Left
                };
                let said = known.filter(has_ended);
                let last_day = said
                    .and_then(|before| before.last_day)
                    .unwrap_or_else(|| at.today.saturating_add(i64::from(at.grace_days).days()));
                (if last_day > at.today { State::Active } else { State::Inactive }, Some(last_day))
            }
            _ => (State::Active, None),
        };
        let outcome = match known {
            Some(before) if state == State::Inactive && before.state == State::Active => Outcome::Removed,
            Some(_) => Outcome::Updated,
            None if state == State::Inactive => Outcome::Removed,
            None => Outcome::Created,
        };
        let worker = Worker { birth_date: None, ..worker.clone() };
        if let Some(manager) =
            worker.manager_external_id.as_deref().filter(|manager| *manager != worker.external_id)
        {
            self.expect(rank, manager, at.now, fresh);
        }
        self.put(rank, place, Stored { person, state, worker, last_day, created_at });
        Ok((person, outcome))
    }

    /// Who a worker is: whoever has the personnel number in another source, or had it in this one.
    fn whose(
        &mut self,
        rank: i32,
        place: Option<usize>,
        worker: &Worker,
        at: Moment,
        fresh: Fresh,
    ) -> Result<PersonId, Arc<str>> {
        let stored = |at: usize| &self.rows[at].stored;
        let is_active = |at: &usize| stored(*at).state == State::Active;
        let number = worker.employee_number.as_ref().and_then(|number| self.by_number.get(number));
        let others = || number.into_iter().flatten().copied().filter(move |at| Some(*at) != place);
        if let Some(same) = others().filter(is_active).find(|at| self.rows[*at].key.0 == rank) {
            return Err(Arc::clone(&self.rows[same].key.1));
        }
        let own = place.map(stored);
        let is_shared = own.is_some_and(|own| {
            let rows = self.by_person.get(&own.person).into_iter().flatten();
            rows.copied().filter(|at| Some(*at) != place).any(|at| is_active(&at))
        });
        if let Some(other) = others().find(is_active).map(stored) {
            // Two who turn out to be one go on as the one who began to work here first; nobody else is left without a worker.
            let seniority = |stored: &Stored| (stored.waits(at.today), stored.person);
            let alone = own.filter(|own| own.state == State::Active && !is_shared);
            let (one, met) = (alone.unwrap_or(other), other.person);
            let elder = if seniority(one) < seniority(other) { one.person } else { met };
            let younger = if elder == met { one.person } else { met };
            self.join(younger, elder);
            return Ok(elder);
        }
        let gone = others().next().filter(|_| !own.is_some_and(is_known)).map(|at| stored(at).person);
        let own = own.map(|own| own.person);
        // Who shared a person by a number that is another one now is somebody else.
        Ok(gone.or_else(|| own.filter(|_| !is_shared)).unwrap_or_else(fresh))
    }

    /// Makes two people one.
    fn join(&mut self, younger: PersonId, elder: PersonId) {
        if younger == elder {
            return;
        }
        for at in self.by_person.get(&younger).cloned().unwrap_or_default() {
            let (rank, stored) = (self.rows[at].key.0, self.rows[at].stored.clone());
            self.put(rank, Some(at), Stored { person: elder, ..stored });
        }
    }

    /// Ends a worker; the last day is the one that is said.
    pub(super) fn end(
        &mut self,
        rank: i32,
        place: Option<usize>,
        change: &Change,
        (kind, said): (Tombstone, Option<Date>),
        at: Moment,
        fresh: Fresh,
    ) {
        let before = place.map(|place| self.rows[place].stored.clone());
        let own = before.as_ref().map(|before| before.person);
        let version = change.source_version();
        let blank = |person, last_day| Stored {
            person,
            state: kind.state(),
            worker: Worker::blank(change.external_id().to_owned(), version),
            last_day,
            created_at: at.now,
        };
        let known = before.filter(|before| is_known(before) || before.state == State::Rescinded);
        let (ended, erased) = match (kind, known) {
            (Tombstone::Left, Some(before)) => {
                let known = before.last_day.map_or(at.today, |known| known.min(at.today));
                let worker = Worker { source_version: version, ..before.worker };
                let last_day = Some(said.unwrap_or(known));
                (Stored { state: State::Left, last_day, worker, ..before }, None)
            }
            (Tombstone::Left, None) => {
                (blank(own.unwrap_or_else(&mut *fresh), Some(said.unwrap_or(at.today))), None)
            }
            (Tombstone::Erased, Some(before)) => (blank(fresh(), None), Some(before.person)),
            (Tombstone::Rescinded | Tombstone::Erased, _) => {
                (blank(own.unwrap_or_else(&mut *fresh), None), None)
            }
        };
        self.put(rank, place, ended);
        if let Some(erased) = erased {
            self.erased.push(erased);
            self.part(erased, fresh);
        }
    }

    /// Whoever else is reported as somebody who was erased begins anew, and of who is gone nothing stays but the key.
    fn part(&mut self, erased: PersonId, fresh: Fresh) {
        let mut anew = None;
        for at in self.by_person.get(&erased).cloned().unwrap_or_default() {
            let (key, stored) = (self.rows[at].key.clone(), self.rows[at].stored.clone());
            let stored = match stored.state {
                State::Active | State::Expected => {
                    Stored { person: *anew.get_or_insert_with(&mut *fresh), ..stored }
                }
                state => Stored {
                    person: fresh(),
                    state: if state == State::Inactive { State::Left } else { state },
                    worker: Worker::blank(key.1.to_string(), stored.worker.source_version),
                    ..stored
                },
            };
            self.put(key.0, Some(at), stored);
            self.erased_workers.push(key);
        }
    }
}

/// Whether anything was said of a worker that holds.
fn is_known(stored: &Stored) -> bool {
    !matches!(stored.state, State::Expected | State::Rescinded | State::Erased)
}
