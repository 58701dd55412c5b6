//! What a record makes of its worker, and of who that is.

use identity::PersonId;
use jiff::ToSpan;
use jiff::civil::Date;

use super::{Fresh, Moment, Register};
use crate::domain::worker::{Change, Employment, FieldIssue, Outcome, State, Stored, Tombstone, Worker};

impl Register {
    pub(super) fn describe(
        &mut self,
        rank: i32,
        place: Option<usize>,
        worker: &Worker,
        at: Moment,
        fresh: Fresh,
    ) -> Result<(PersonId, Outcome), FieldIssue> {
        let person = self.whose(rank, place, worker, fresh)?;
        let before = place.map(|place| &self.rows[place].stored);
        let known = before
            .filter(|before| !matches!(before.state, State::Expected | State::Rescinded | State::Erased));
        let created_at = known.map_or(at.now, |before| before.created_at);
        let (state, last_day) = match worker.employment {
            Employment::Inactive => {
                let said = known.filter(|before| before.worker.employment == Employment::Inactive);
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
        &self,
        rank: i32,
        place: Option<usize>,
        worker: &Worker,
        fresh: Fresh,
    ) -> Result<PersonId, FieldIssue> {
        let own = place.map(|place| self.rows[place].stored.person);
        let is_active = |at: &&usize| self.rows[**at].stored.state == State::Active;
        let number = worker.employee_number.as_ref();
        let others: Vec<usize> = number
            .and_then(|number| self.by_number.get(number))
            .map(|rows| rows.iter().copied().filter(|at| Some(*at) != place).collect())
            .unwrap_or_default();
        let same = others.iter().filter(|at| self.rows[**at].key.0 == rank).find(is_active);
        if let Some(other) = same {
            let message = format!("The worker {} has the same number.", self.rows[*other].key.1);
            return Err(FieldIssue::new("worker.employee_number", "DUPLICATE_EMPLOYEE_NUMBER", message));
        }
        let elsewhere = || others.iter().find(|at| self.rows[**at].key.0 != rank);
        if let Some(other) = others.iter().find(is_active).or_else(|| others.first()).or_else(elsewhere) {
            return Ok(self.rows[*other].stored.person);
        }
        let Some(own) = own else { return Ok(fresh()) };
        // Who shared a person by a number that is another one now is somebody else.
        let shared = self.by_person.get(&own).into_iter().flatten();
        let is_shared = shared.filter(is_active).any(|at| self.rows[*at].key.0 != rank);
        Ok(if is_shared { fresh() } else { own })
    }

    #[expect(clippy::too_many_arguments, reason = "all of it makes the end")]
    pub(super) fn end(
        &mut self,
        rank: i32,
        place: Option<usize>,
        change: &Change,
        kind: Tombstone,
        last_day: Date,
        at: Moment,
        fresh: Fresh,
    ) {
        let before = place.map(|place| self.rows[place].stored.clone());
        let known = before
            .filter(|before| !matches!(before.state, State::Expected | State::Rescinded | State::Erased));
        let (key, version) = (change.external_id().to_owned(), change.source_version());
        let own = place.map(|place| self.rows[place].stored.person);
        let ended = match (kind, known) {
            (Tombstone::Left, Some(before)) => Stored {
                state: State::Left,
                last_day: Some(before.last_day.map_or(last_day, |said| said.min(last_day))),
                worker: Worker { source_version: version, ..before.worker },
                ..before
            },
            (Tombstone::Rescinded | Tombstone::Erased, Some(before)) => {
                self.affected.insert(before.person);
                if kind == Tombstone::Erased {
                    self.erased.push(before.person);
                }
                let worker = Worker::blank(key, version);
                Stored { person: fresh(), state: kind.state(), worker, last_day: None, created_at: at.now }
            }
            (_, None) => Stored {
                person: match own {
                    Some(person) => person,
                    None => fresh(),
                },
                state: kind.state(),
                worker: Worker::blank(key, version),
                last_day: (kind == Tombstone::Left).then_some(last_day),
                created_at: at.now,
            },
        };
        let erased = (kind == Tombstone::Erased).then(|| self.erased.last().copied()).flatten();
        self.put(rank, place, ended);
        if let Some(erased) = erased {
            self.part(erased, fresh);
        }
    }

    /// Whoever else is reported as somebody who was erased begins anew.
    fn part(&mut self, erased: PersonId, fresh: Fresh) {
        let rest = self.by_person.get(&erased).cloned().unwrap_or_default();
        if rest.is_empty() {
            return;
        }
        let anew = fresh();
        for at in rest {
            let (rank, stored) = (self.rows[at].key.0, self.rows[at].stored.clone());
            self.put(rank, Some(at), Stored { person: anew, ..stored });
        }
    }
}
