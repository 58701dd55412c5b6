//! A worker as the source described it last, and what a record makes of it.

use identity::PersonId;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::{Change, Employment, Tombstone, Worker};

/// What is kept of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Who it is, or was before the worker was rescinded; nobody that an event knows while the worker is only expected, or was erased.
    pub person: PersonId,
    /// How the worker stands.
    pub state: State,
    /// What the source said, but the date of birth.
    pub worker: Worker,
    /// The last working day of whoever has left, or will.
    pub last_day: Option<Date>,
    /// When the worker was first reported.
    pub created_at: Timestamp,
}

/// How a worker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Named as a manager, and not reported yet.
    Expected,
    /// One of the company.
    Active,
    /// Reported as somebody who has left.
    Inactive,
    /// Removed, or absent from a snapshot.
    Left,
    /// Never was.
    Rescinded,
    /// Known no more.
    Erased,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Expected, Self::Active, Self::Inactive, Self::Left, Self::Rescinded, Self::Erased];

    /// Its name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Left => "left",
            Self::Rescinded => "rescinded",
            Self::Erased => "erased",
        }
    }
}

impl Tombstone {
    /// How the worker stands afterwards.
    #[must_use]
    pub const fn state(self) -> State {
        match self {
            Self::Left => State::Left,
            Self::Rescinded => State::Rescinded,
            Self::Erased => State::Erased,
        }
    }
}

impl Stored {
    /// Somebody who is named as a manager and not reported yet.
    #[must_use]
    pub fn expected(external_id: &str, person: PersonId, now: Timestamp) -> Self {
        let worker = Worker::blank(external_id.to_owned(), 0);
        Self { person, state: State::Expected, worker, last_day: None, created_at: now }
    }

    /// Whether the worker has signed and waits for the first day, as far as it is known.
    #[must_use]
    pub fn waits(&self, today: Date) -> bool {
        self.state == State::Active
            && self.worker.employment == Employment::Pending
            && self.worker.hire_date.is_none_or(|first_day| first_day > today)
    }

    /// Whether it is as this record says.
    fn says(&self, worker: &Worker) -> bool {
        let stands = match worker.employment {
            Employment::Inactive if self.state == State::Active => self.last_day.is_some(),
            Employment::Inactive => self.state == State::Inactive,
            _ => self.state == State::Active,
        };
        stands && self.worker.says_the_same(worker)
    }

    /// Whether the worker has ended like this; who names no last day means the one that is known.
    fn has_ended(&self, kind: Tombstone, last_day: Option<Date>) -> bool {
        self.state == kind.state()
            && (kind != Tombstone::Left || last_day.is_none() || last_day == self.last_day)
    }
}

impl Worker {
    /// A worker of whom only the key is known.
    #[must_use]
    pub fn blank(external_id: String, source_version: i64) -> Self {
        Self {
            external_id,
            source_version,
            employee_number: None,
            user_name: String::new(),
            given_name: String::new(),
            family_name: String::new(),
            email: String::new(),
            job_title: String::new(),
            org_unit_path: Vec::new(),
            manager_external_id: None,
            hire_date: None,
            birth_date: None,
            employment: Employment::Active,
            alias: String::new(),
        }
    }

    /// Whether both say the same, whenever they did; a date of birth is not kept and so cannot be compared.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.employee_number == other.employee_number
            && self.user_name == other.user_name
            && self.given_name == other.given_name
            && self.family_name == other.family_name
            && self.email == other.email
            && self.job_title == other.job_title
            && self.org_unit_path == other.org_unit_path
            && self.manager_external_id == other.manager_external_id
            && self.hire_date == other.hire_date
            && self.employment == other.employment
            && self.alias == other.alias
    }
}

/// What a record comes to, beside what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Something newer is stored.
    Stale,
    /// It is stored already.
    Unchanged,
    /// The same is said again later: only the order moves.
    Confirmed,
    /// Something else was said under the same version.
    Contradicts,
    /// It holds from a day to come.
    Scheduled(Date),
    /// The worker is as the record says.
    Described,
    /// The worker ends; the last day is the one that is said.
    Ended(Tombstone, Option<Date>),
}

/// Judges a record. The one with the greatest version stands, in whatever order they come.
#[must_use]
pub fn judge(stored: Option<&Stored>, change: &Change, today: Date) -> Verdict {
    let reported = stored.filter(|stored| stored.state != State::Expected);
    let due = due(change, today);
    let Some(stored) = reported else { return due.map_or_else(|| fresh(change), Verdict::Scheduled) };
    let version = change.source_version();
    if version < stored.worker.source_version {
        return Verdict::Stale;
    }
    let same = match change {
        Change::Upsert { worker, .. } => stored.says(worker),
        Change::Tombstone { kind, last_day, .. } => stored.has_ended(*kind, *last_day),
    };
    if version > stored.worker.source_version {
        return match due {
            Some(due) => Verdict::Scheduled(due),
            None if same => Verdict::Confirmed,
            None => fresh(change),
        };
    }
    match change {
        _ if same => Verdict::Unchanged,
        // Who was absent from a snapshot and is listed again as before is back.
        Change::Upsert { worker, .. }
            if stored.state == State::Left && stored.worker.says_the_same(worker) =>
        {
            Verdict::Described
        }
        _ => Verdict::Contradicts,
    }
}

fn fresh(change: &Change) -> Verdict {
    match change {
        Change::Upsert { .. } => Verdict::Described,
        Change::Tombstone { kind, last_day, .. } => Verdict::Ended(*kind, *last_day),
    }
}

/// The day on which a record is to be applied that has to wait for it: nobody waits for a last day that is today.
fn due(change: &Change, today: Date) -> Option<Date> {
    let first = match change {
        Change::Upsert { .. } => today,
        Change::Tombstone { .. } => today.saturating_add(1.day()),
    };
    change.day().filter(|day| *day > first)
}

#[cfg(test)]
mod tests;
