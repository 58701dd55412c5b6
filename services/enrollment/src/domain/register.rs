//! The workers that a batch is about, with all who share a person or a personnel number with them.

mod change;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use identity::PersonId;
use jiff::Timestamp;
use jiff::civil::Date;

use super::merge::{Merge, Report, Source};
use super::worker::{Answer, Change, FieldIssue, Outcome, Record, State, Stored, Unreadable, Verdict, judge};

/// A worker by the rank of its source and its key there.
pub type Key = (i32, Arc<str>);

/// Where whoever is new gets an id.
pub type Fresh<'a> = &'a mut dyn FnMut() -> PersonId;

/// When records are taken.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The business time.
    pub now: Timestamp,
    /// The day.
    pub today: Date,
    /// Days that a worker who is said to have left still works.
    pub grace_days: i32,
    /// Whether the service numbers the versions, so that nothing can come late: what is stored is not numbered anew.
    pub numbers: bool,
}

/// Workers as they are stored, and as they will be.
#[derive(Debug)]
pub struct Register {
    sources: Vec<Source>,
    rows: Vec<Row>,
    by_key: HashMap<Key, usize>,
    by_person: HashMap<PersonId, Vec<usize>>,
    by_number: HashMap<String, Vec<usize>>,
    /// Whose standing has to be looked at.
    affected: BTreeSet<PersonId>,
    /// Whom nothing may be known of any more.
    erased: Vec<PersonId>,
    /// The workers of whom it is said now or again that they are erased, and those who were the same people.
    erased_workers: Vec<Key>,
    /// Workers who are somebody else now, so that whoever reports to them has to be looked at.
    repointed: Vec<Key>,
    /// The records that wait for their day, by their versions.
    waiting: HashMap<Key, BTreeMap<i64, Waiting>>,
}

/// A record that waits for its day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The day.
    pub due: Date,
    /// The record, without its day and its date of birth.
    pub change: Change,
}

#[derive(Debug)]
struct Row {
    key: Key,
    stored: Stored,
    /// Whether it is in the database at all.
    known: bool,
    changed: bool,
}

/// A worker to be written.
#[derive(Debug)]
pub struct Written<'a> {
    /// The source.
    pub source: &'a Source,
    /// The worker.
    pub stored: &'a Stored,
    /// Whether there was none before.
    pub new: bool,
}

/// What became of a record within its batch.
#[derive(Clone, Debug)]
pub struct Received {
    /// What is answered.
    pub answer: Answer,
    /// The day on which the record is to be applied.
    pub due: Option<Date>,
    /// Whether the same was said again later.
    pub confirmed: bool,
    /// The worker whose personnel number it claims.
    pub claimed: Option<Arc<str>>,
}

impl Register {
    /// Nobody is known yet.
    #[must_use]
    pub fn new(sources: Vec<Source>) -> Self {
        Self {
            sources,
            rows: Vec::new(),
            by_key: HashMap::new(),
            by_person: HashMap::new(),
            by_number: HashMap::new(),
            affected: BTreeSet::new(),
            erased: Vec::new(),
            erased_workers: Vec::new(),
            repointed: Vec::new(),
            waiting: HashMap::new(),
        }
    }

    /// The source of a name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// Takes a stored worker in, unless it is here already.
    pub fn know(&mut self, rank: i32, stored: Stored) {
        let key = (rank, Arc::from(stored.worker.external_id.as_str()));
        if !self.by_key.contains_key(&key) {
            self.add(key, stored, true);
        }
    }

    /// Takes in a record that waits for its day.
    pub fn know_waiting(&mut self, rank: i32, waiting: Waiting) {
        let key = (rank, Arc::from(waiting.change.external_id()));
        self.waiting.entry(key).or_default().entry(waiting.change.source_version()).or_insert(waiting);
    }

    /// Expects a worker who is named as a manager, unless it is here.
    pub fn expect(&mut self, rank: i32, external_id: &str, now: Timestamp, fresh: Fresh) {
        if self.place(rank, external_id).is_none() {
            let expected = Stored::expected(external_id, fresh(), now);
            let place = self.add((rank, Arc::from(external_id)), expected, false);
            self.rows[place].changed = true;
        }
    }

    /// A worker that is here.
    #[must_use]
    pub fn find(&self, rank: i32, external_id: &str) -> Option<&Stored> {
        self.place(rank, external_id).map(|at| &self.rows[at].stored)
    }

    fn place(&self, rank: i32, external_id: &str) -> Option<usize> {
        self.by_key.get(&(rank, Arc::from(external_id))).copied()
    }

    /// Receives a record.
    pub fn receive(&mut self, rank: i32, record: &Record, at: Moment, fresh: Fresh) -> Received {
        let change = match record {
            Ok(change) => change,
            Err(Unreadable { issues, .. }) => return refused(issues.clone()),
        };
        let place = self.place(rank, change.external_id());
        let stored = place.map(|place| &self.rows[place].stored);
        let person = stored.map(|stored| stored.person);
        let waiting = self.waiting.get(&(rank, Arc::from(change.external_id())));
        let verdict = match judge(stored, change, at.today) {
            Verdict::Stale => Verdict::Stale,
            _ if waiting.is_some_and(|waiting| contradicts(waiting, change)) => Verdict::Contradicts,
            verdict => verdict,
        };
        let is_renumbered = !at.numbers || waiting.is_some();
        if change.erases() && matches!(verdict, Verdict::Ended(..) | Verdict::Confirmed | Verdict::Unchanged)
        {
            self.erased_workers.push((rank, Arc::from(change.external_id())));
        }
        let answer = |outcome| Received {
            answer: Answer { outcome, person, issues: Vec::new() },
            due: None,
            confirmed: false,
            claimed: None,
        };
        match verdict {
            Verdict::Stale => answer(Outcome::Stale),
            Verdict::Unchanged => answer(Outcome::Unchanged),
            Verdict::Contradicts => {
                let message = "Something else was said under the same source_version.";
                refused(vec![FieldIssue::new("source_version", "VERSION_REUSED", message)])
            }
            Verdict::Scheduled(due) => {
                self.know_waiting(rank, Waiting { due, change: change.plain() });
                let mut received = Received { due: Some(due), ..answer(Outcome::Scheduled) };
                received.answer.issues = noticed(change);
                received
            }
            Verdict::Confirmed => {
                if let Some(place) = place {
                    self.confirm(place, Some(change.source_version()).filter(|_| is_renumbered));
                }
                Received { confirmed: true, ..answer(Outcome::Unchanged) }
            }
            Verdict::Described => match change {
                Change::Upsert { worker, .. } => match self.describe(rank, place, worker, at, fresh) {
                    Ok((person, outcome)) => {
                        let mut received = answer(outcome);
                        (received.answer.person, received.answer.issues) = (Some(person), noticed(change));
                        received
                    }
                    Err(other) => claiming(other),
                },
                Change::Tombstone { .. } => answer(Outcome::Unchanged),
            },
            Verdict::Ended(kind, last_day) => {
                self.end(rank, place, change, (kind, last_day), at, fresh);
                answer(Outcome::Removed)
            }
        }
    }

    fn confirm(&mut self, place: usize, version: Option<i64>) {
        let row = &mut self.rows[place];
        if let Some(version) = version {
            row.stored.worker.source_version = version;
            row.changed = true;
        }
        if row.stored.state == State::Active {
            self.affected.insert(row.stored.person);
        }
    }

    /// Makes workers leavers who were absent from a snapshot.
    pub fn leave(&mut self, rank: i32, external_id: &str, today: Date) {
        if let Some(place) = self.place(rank, external_id) {
            let stored = self.rows[place].stored.clone();
            self.put(rank, Some(place), Stored { state: State::Left, last_day: Some(today), ..stored });
        }
    }

    /// Lets the days that have passed take effect on a worker.
    pub fn pass(&mut self, rank: i32, external_id: &str, today: Date) {
        let Some(place) = self.place(rank, external_id) else { return };
        let stored = self.rows[place].stored.clone();
        let is_over = stored.state == State::Active && stored.last_day.is_some_and(|day| day < today);
        let state = if is_over { State::Inactive } else { stored.state };
        self.put(rank, Some(place), Stored { state, ..stored });
    }

    /// Looks at a person without a record of anybody.
    pub fn look_at(&mut self, person: PersonId) {
        self.affected.insert(person);
    }

    fn add(&mut self, key: Key, stored: Stored, known: bool) -> usize {
        let place = self.rows.len();
        self.by_person.entry(stored.person).or_default().push(place);
        if let Some(number) = &stored.worker.employee_number {
            self.by_number.entry(number.clone()).or_default().push(place);
        }
        self.by_key.insert(key.clone(), place);
        self.rows.push(Row { key, stored, known, changed: false });
        place
    }

    /// Puts a worker in its place; whose person it is and was is to be looked at.
    fn put(&mut self, rank: i32, place: Option<usize>, stored: Stored) {
        self.affected.insert(stored.person);
        let Some(place) = place else {
            let key = (rank, Arc::from(stored.worker.external_id.as_str()));
            let place = self.add(key, stored, false);
            self.rows[place].changed = true;
            return;
        };
        let before = std::mem::replace(&mut self.rows[place].stored, stored);
        self.rows[place].changed = true;
        let Row { key, stored, .. } = &self.rows[place];
        if before.person != stored.person {
            self.affected.insert(before.person);
            self.repointed.push(key.clone());
            self.by_person.entry(before.person).or_default().retain(|at| *at != place);
            self.by_person.entry(stored.person).or_default().push(place);
        }
        if before.worker.employee_number != stored.worker.employee_number {
            if let Some(number) = before.worker.employee_number {
                self.by_number.entry(number).or_default().retain(|at| *at != place);
            }
            if let Some(number) = stored.worker.employee_number.clone() {
                self.by_number.entry(number).or_default().push(place);
            }
        }
    }

    /// Whose standing has to be looked at.
    #[must_use]
    pub fn affected(&self) -> &BTreeSet<PersonId> {
        &self.affected
    }

    /// Whom nothing may be known of any more.
    #[must_use]
    pub fn erased(&self) -> &[PersonId] {
        &self.erased
    }

    /// The workers of whom nothing may be known any more but the key, whether anything was known before or not.
    #[must_use]
    pub fn erased_workers(&self) -> &[Key] {
        &self.erased_workers
    }

    /// Workers who are somebody else now.
    #[must_use]
    pub fn repointed(&self) -> &[Key] {
        &self.repointed
    }

    /// Superiors of people to be looked at who are not here.
    #[must_use]
    pub fn missing_managers(&self) -> BTreeSet<(i32, String)> {
        let rows = self.affected.iter().flat_map(|person| self.by_person.get(person).into_iter().flatten());
        rows.filter_map(|at| {
            let Row { key, stored, .. } = &self.rows[*at];
            let manager = stored.worker.manager_external_id.clone()?;
            self.place(key.0, &manager).is_none().then_some((key.0, manager))
        })
        .collect()
    }

    /// All that is said of a person.
    #[must_use]
    pub fn merge(&self, person: PersonId) -> Merge<'_> {
        let rows = self.by_person.get(&person).into_iter().flatten().map(|at| &self.rows[*at]);
        Merge::of(rows.filter_map(|Row { key, stored, .. }| {
            let source = self.sources.iter().find(|source| source.rank == key.0)?;
            let manager = stored.worker.manager_external_id.as_deref();
            let manager = manager.and_then(|manager| self.find(key.0, manager)).map(|manager| manager.person);
            Some(Report { source, stored, manager })
        }))
    }

    /// The workers of a source that are this person.
    pub fn keys_of(&self, rank: i32, person: PersonId) -> impl Iterator<Item = &str> {
        let rows = self.by_person.get(&person).into_iter().flatten().map(|at| &self.rows[*at]);
        rows.filter(move |row| row.key.0 == rank).map(|row| &*row.key.1)
    }

    /// Whether several workers are this person.
    #[must_use]
    pub fn is_shared(&self, person: PersonId) -> bool {
        self.by_person.get(&person).is_some_and(|rows| rows.len() > 1)
    }

    /// All that is to be written.
    pub fn written(&self) -> impl Iterator<Item = Written<'_>> {
        self.rows.iter().filter(|row| row.changed).filter_map(|Row { key, stored, known, .. }| {
            let source = self.sources.iter().find(|source| source.rank == key.0)?;
            Some(Written { source, stored, new: !known })
        })
    }
}

/// Whether something else waits for its day under the version of a record.
fn contradicts(waiting: &BTreeMap<i64, Waiting>, change: &Change) -> bool {
    waiting
        .get(&change.source_version())
        .is_some_and(|waiting| change.day() != Some(waiting.due) || change.plain() != waiting.change)
}

fn noticed(change: &Change) -> Vec<FieldIssue> {
    match change {
        Change::Upsert { noticed, .. } => noticed.clone(),
        Change::Tombstone { .. } => Vec::new(),
    }
}

fn refused(issues: Vec<FieldIssue>) -> Received {
    let answer = Answer { outcome: Outcome::Rejected, person: None, issues };
    Received { answer, due: None, confirmed: false, claimed: None }
}

/// Refuses a record with the personnel number of another worker.
fn claiming(other: Arc<str>) -> Received {
    let message = format!("The worker {other} has the same number.");
    let issue = FieldIssue::new("worker.employee_number", "DUPLICATE_EMPLOYEE_NUMBER", message);
    Received { claimed: Some(other), ..refused(vec![issue]) }
}
