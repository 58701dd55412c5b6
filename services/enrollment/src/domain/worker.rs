//! A worker as an HR system describes one: the record, its end, and what becomes of either.

mod reading;
mod stored;

use identity::PersonId;
use jiff::ToSpan;
use jiff::civil::Date;

pub use reading::{EmploymentSaid, TEXT_CHARACTERS_MAX, WorkerSaid, day, key, version};
pub use stored::{State, Stored, Verdict, judge};

/// What a source says of one worker; it is whole, so that what it leaves empty is empty from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// The key in the source.
    pub external_id: String,
    /// Grows with each change in the source.
    pub source_version: i64,
    /// The personnel number, by which two sources mean the same person.
    pub employee_number: Option<String>,
    /// The name at the identity provider.
    pub user_name: String,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Work address.
    pub email: String,
    /// Job title.
    pub job_title: String,
    /// Units from the top down, the last is the department; an empty one is not named.
    pub org_unit_path: Vec<String>,
    /// The direct superior's key; none at the top.
    pub manager_external_id: Option<String>,
    /// The first day with the company.
    pub hire_date: Option<Date>,
    /// The date of birth, which is never kept beside the record.
    pub birth_date: Option<Date>,
    /// Whether the worker works.
    pub employment: Employment,
    /// Another name that the source has for the worker.
    pub alias: String,
}

/// Whether a worker works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Employment {
    /// Works.
    Active,
    /// Is on leave.
    OnLeave {
        /// The first day; none means the day on which it is told.
        first_day: Option<Date>,
        /// The last day; none while it is open.
        last_day: Option<Date>,
    },
    /// Has signed and not started.
    Pending,
    /// Has left.
    Inactive,
}

impl Employment {
    /// Its name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::OnLeave { .. } => "on_leave",
            Self::Pending => "pending",
            Self::Inactive => "inactive",
        }
    }

    /// The first and the last day of the leave, as far as they are said.
    #[must_use]
    pub const fn leave(self) -> (Option<Date>, Option<Date>) {
        match self {
            Self::OnLeave { first_day, last_day } => (first_day, last_day),
            _ => (None, None),
        }
    }
}

/// What happened to a worker in the source.
#[expect(clippy::large_enum_variant, reason = "nearly all changes are the large one")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is so from now on.
    Upsert {
        /// The record.
        worker: Worker,
        /// The day from which it holds; none means at once.
        effective_date: Option<Date>,
        /// What looks wrong and is taken over all the same.
        noticed: Vec<FieldIssue>,
    },
    /// The worker ends.
    Tombstone {
        /// The key in the source.
        external_id: String,
        /// Order, as in [`Worker`].
        source_version: i64,
        /// What kind of end it is.
        kind: Tombstone,
        /// The last working day; none means the day on which it is told.
        last_day: Option<Date>,
    },
}

impl Change {
    /// The key in the source.
    #[must_use]
    pub fn external_id(&self) -> &str {
        match self {
            Self::Upsert { worker, .. } => &worker.external_id,
            Self::Tombstone { external_id, .. } => external_id,
        }
    }

    /// Its place in the order of the source.
    #[must_use]
    pub fn source_version(&self) -> i64 {
        match self {
            Self::Upsert { worker, .. } => worker.source_version,
            Self::Tombstone { source_version, .. } => *source_version,
        }
    }

    /// The day from which it holds, if it says one: the day after the last of somebody who leaves.
    #[must_use]
    pub fn day(&self) -> Option<Date> {
        match self {
            Self::Upsert { effective_date, .. } => *effective_date,
            Self::Tombstone { kind: Tombstone::Left, last_day, .. } => {
                last_day.map(|day| day.saturating_add(1.day()))
            }
            Self::Tombstone { .. } => None,
        }
    }

    /// Whether nothing is to be known any more of whom it is about.
    #[must_use]
    pub fn erases(&self) -> bool {
        matches!(self, Self::Tombstone { kind: Tombstone::Erased, .. })
    }

    /// What is kept of it until its day: without that day, its date of birth and what looks wrong.
    #[must_use]
    pub fn plain(&self) -> Self {
        match self {
            Self::Upsert { worker, .. } => Self::Upsert {
                worker: Worker { birth_date: None, ..worker.clone() },
                effective_date: None,
                noticed: Vec::new(),
            },
            Self::Tombstone { .. } => self.clone(),
        }
    }
}

/// How a worker ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tombstone {
    /// The person leaves, and what was stays.
    Left,
    /// There never was such a worker.
    Rescinded,
    /// What is known of the person is to be erased.
    Erased,
}

/// A record that cannot be read, of a worker or of nobody known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The key in the source; empty if that is what is wrong.
    pub external_id: String,
    /// All that is wrong; never empty.
    pub issues: Vec<FieldIssue>,
}

/// A record as it comes in.
pub type Record = Result<Change, Unreadable>;

/// One thing wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldIssue {
    /// The field, such as `worker.email`; empty when the whole record is meant.
    pub field: String,
    /// Machine code.
    pub reason: &'static str,
    /// One sentence; never a value but keys.
    pub message: String,
}

impl FieldIssue {
    /// An issue with a field.
    #[must_use]
    pub fn new(field: impl Into<String>, reason: &'static str, message: impl Into<String>) -> Self {
        Self { field: field.into(), reason, message: message.into() }
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// First seen.
    Created,
    /// Changed.
    Updated,
    /// Equal to what is stored.
    Unchanged,
    /// Older than what is stored.
    Stale,
    /// Refused.
    Rejected,
    /// A tombstone was applied.
    Removed,
    /// Kept until its day.
    Scheduled,
}

/// The answer to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What became of it.
    pub outcome: Outcome,
    /// The person of the programme, where there is one.
    pub person: Option<PersonId>,
    /// What is wrong, of a record that is refused; what looks wrong, of others.
    pub issues: Vec<FieldIssue>,
}
