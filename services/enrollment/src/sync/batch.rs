//! A batch of records: what is known of their workers, what becomes of them, what is noted of it.

use std::collections::{BTreeSet, HashMap};
use std::iter::zip;

use eventlog::Unit;
use identity::PersonId;
use jiff::civil::Date;
use sqlx::PgConnection;

use super::settling::Settled;
use super::{Refused, Sync};
use crate::domain::register::{Moment, Received, Register};
use crate::domain::source::Attribute;
use crate::domain::sync_run::Counts;
use crate::domain::worker::{Answer, Change, FieldIssue, Outcome, Record, State, Unreadable};
use crate::views::sync_runs::{self, RunRow};
use crate::views::{Views, birth_dates, erased, sync_batches, sync_pending, sync_trials, workers};

/// How a batch is taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taking {
    /// When.
    pub(super) moment: Moment,
    /// Whether a record without a date of birth leaves the one that is kept as it is.
    pub(super) keep_birth_dates: bool,
}

impl Sync {
    /// Takes records within a transaction that holds the directory.
    pub(super) async fn batch(
        &self,
        unit: &mut Unit<'_, Views>,
        run: &RunRow,
        records: &[Record],
        taking: Taking,
    ) -> Result<Vec<Answer>, Refused> {
        let mut register = Register::new(workers::sources(&mut *unit.conn()).await?);
        let source =
            register.source(&run.source).ok_or_else(|| Refused::UnknownSource(run.source.clone()))?;
        let rank = source.rank;
        let births_needed = birth_dates::needed(&mut *unit.conn(), taking.moment.now).await?;
        let keys = keys(records);
        if run.dry_run {
            sync_trials::begin(unit.conn()).await?;
            let numbers: Vec<&str> = changes(records).filter_map(number).collect();
            sync_trials::put_in_place(unit.conn(), run.run, &run.source, &keys, &numbers).await?;
        }
        know(unit.conn(), &mut register, (rank, &keys), records, births_needed).await?;
        let waiting = sync_pending::of(&mut *unit.conn(), &run.source, &keys).await?;
        let is_any_waiting = !waiting.is_empty();
        for waiting in waiting {
            register.know_waiting(rank, waiting);
        }

        let mut minted = BTreeSet::new();
        let mut fresh = || {
            let person = PersonId::mint();
            minted.insert(person);
            person
        };
        let mut received: Vec<Received> =
            records.iter().map(|record| register.receive(rank, record, taking.moment, &mut fresh)).collect();
        let settled = self.settle(unit, &mut register, &minted, taking.moment).await?;
        tell(&register, (rank, taking.moment), records, &mut received, &settled);
        if births_needed {
            let said = births(&register, rank, records, &received, taking.keep_birth_dates);
            self.keep_births(unit.conn(), said).await?;
        }
        put_off(unit.conn(), run, records, &received, is_any_waiting).await?;

        if run.dry_run {
            let written: Vec<_> = register.written().collect();
            let trials = sync_trials::of(&mut *unit.conn(), &written).await?;
            sync_trials::undo(unit.conn()).await?;
            sync_trials::keep(unit.conn(), run.run, &trials).await?;
            for received in &mut received {
                received.answer.person = None;
            }
        }
        note(unit.conn(), run, records, &received, taking.moment).await?;
        if !run.dry_run {
            erased::forget(unit.conn(), register.erased_workers()).await?;
        }
        Ok(received.into_iter().map(|received| received.answer).collect())
    }
}

/// Tells with each record what looks wrong with the person it is about.
fn tell(
    register: &Register,
    (rank, moment): (i32, Moment),
    records: &[Record],
    received: &mut [Received],
    settled: &Settled,
) {
    let mut last: HashMap<PersonId, usize> = HashMap::new();
    for (place, (record, received)) in zip(records, &mut *received).enumerate() {
        let Ok(change) = record else { continue };
        let Some(stored) = register.find(rank, change.external_id()) else { continue };
        let is_applied =
            matches!(received.answer.outcome, Outcome::Created | Outcome::Updated | Outcome::Removed);
        if received.confirmed && settled.changed.contains(&stored.person) {
            received.answer.outcome = Outcome::Updated;
        }
        if is_applied || received.confirmed {
            last.insert(stored.person, place);
        }
        if is_applied && change.source_version() == stored.worker.source_version {
            received.answer.issues.extend(
                Some(stored.person)
                    .filter(|person| register.is_shared(*person))
                    .map(|person| register.merge(person).conflicts(rank))
                    .unwrap_or_default(),
            );
        }
        if received.answer.outcome == Outcome::Removed {
            received.answer.issues.extend(register.merge(stored.person).stays(rank, moment.today));
        }
    }
    for (person, issue) in &settled.refused {
        if let Some(place) = last.get(person) {
            received[*place].answer.issues.push(issue.clone());
        }
    }
}

/// The workers that records are about, and their managers.
fn keys(records: &[Record]) -> Vec<&str> {
    let mut keys: BTreeSet<&str> = changes(records).map(Change::external_id).collect();
    keys.extend(changes(records).filter_map(manager));
    keys.into_iter().collect()
}

/// Gets to know the workers of these keys and all who may be the same people.
async fn know(
    conn: &mut PgConnection,
    register: &mut Register,
    (rank, keys): (i32, &[&str]),
    records: &[Record],
    all: bool,
) -> sqlx::Result<()> {
    for row in workers::by_keys(&mut *conn, keys.iter().map(|key| (rank, *key))).await? {
        register.know(row.rank, row.stored);
    }

    let (mut numbers, mut people) = (BTreeSet::new(), BTreeSet::new());
    for change in changes(records) {
        let stored = register.find(rank, change.external_id());
        let may_matter = stored.is_none_or(|stored| {
            change.source_version() > stored.worker.source_version
                || matches!(stored.state, State::Expected | State::Left)
        });
        if !may_matter && !all {
            continue;
        }
        people.extend(stored.map(|stored| stored.person));
        if let Change::Upsert { worker, .. } = change {
            let known = stored.is_some_and(|stored| {
                stored.state == State::Active && stored.worker.employee_number == worker.employee_number
            });
            numbers.extend(worker.employee_number.as_deref().filter(|_| !known));
        }
    }
    know_related(conn, register, &numbers.into_iter().collect::<Vec<_>>(), people).await
}

/// Gets to know all who have these numbers or are these people, and then whoever else is one of those.
pub(super) async fn know_related(
    conn: &mut PgConnection,
    register: &mut Register,
    numbers: &[&str],
    people: BTreeSet<PersonId>,
) -> sqlx::Result<()> {
    let mut known = people.clone();
    let mut wanted: Vec<_> = people.into_iter().map(PersonId::uuid).collect();
    let mut numbers = numbers;
    loop {
        let found = workers::related(&mut *conn, numbers, &wanted).await?;
        wanted.clear();
        numbers = &[];
        for row in found {
            if known.insert(row.stored.person) {
                wanted.push(row.stored.person.uuid());
            }
            register.know(row.rank, row.stored);
        }
        if wanted.is_empty() {
            return Ok(());
        }
    }
}

fn changes(records: &[Record]) -> impl Iterator<Item = &Change> {
    records.iter().filter_map(|record| record.as_ref().ok())
}

fn manager(change: &Change) -> Option<&str> {
    match change {
        Change::Upsert { worker, .. } => worker.manager_external_id.as_deref(),
        Change::Tombstone { .. } => None,
    }
}

fn number(change: &Change) -> Option<&str> {
    match change {
        Change::Upsert { worker, .. } => worker.employee_number.as_deref(),
        Change::Tombstone { .. } => None,
    }
}

/// The dates of birth that the records say, of people whose dates this source decides.
fn births(
    register: &Register,
    rank: i32,
    records: &[Record],
    received: &[Received],
    keep: bool,
) -> HashMap<PersonId, Option<Date>> {
    let mut said = HashMap::new();
    for (record, received) in zip(records, received) {
        let Ok(Change::Upsert { worker, .. }) = record else { continue };
        let Some(stored) = register.find(rank, &worker.external_id) else { continue };
        let stands = received.due.is_none()
            && received.answer.outcome != Outcome::Rejected
            && (received.confirmed || stored.worker.source_version == worker.source_version);
        let merge = register.merge(stored.person);
        let decides =
            merge.deciding(Attribute::BirthDate).is_some_and(|deciding| deciding.source.rank == rank);
        if stands && decides && (worker.birth_date.is_some() || !keep) {
            said.insert(stored.person, worker.birth_date);
        }
    }
    said
}

/// Keeps the records whose day is to come, and drops those that were overtaken.
async fn put_off(
    conn: &mut PgConnection,
    run: &RunRow,
    records: &[Record],
    received: &[Received],
    is_any_waiting: bool,
) -> sqlx::Result<()> {
    let applied = |received: &Received| {
        !matches!(
            received.answer.outcome,
            Outcome::Stale | Outcome::Rejected | Outcome::Scheduled | Outcome::Unchanged
        ) || received.confirmed
    };
    let overtaking: Vec<&str> = zip(records, received)
        .filter(|(_, received)| applied(received))
        .filter_map(|(record, _)| record.as_ref().ok().map(Change::external_id))
        .collect();
    let waiting: Vec<_> = zip(records, received)
        .filter_map(|(record, received)| received.due.zip(record.as_ref().ok()))
        .collect();
    sync_pending::keep(&mut *conn, &run.source, run.run, &waiting).await?;
    if !overtaking.is_empty() && (is_any_waiting || !waiting.is_empty()) {
        sync_pending::drop_overtaken(conn, &run.source, &overtaking).await?;
    }
    let is_end = |change: &&Change| matches!(change, Change::Tombstone { .. });
    let ending: Vec<&str> =
        waiting.iter().map(|(_, change)| *change).filter(is_end).map(Change::external_id).collect();
    if ending.is_empty() {
        return Ok(());
    }
    sync_pending::drop_former_ends(conn, &run.source, &ending).await
}

/// Notes whom the records were about, what was found, and how many there were of each.
async fn note(
    conn: &mut PgConnection,
    run: &RunRow,
    records: &[Record],
    received: &[Received],
    moment: Moment,
) -> sqlx::Result<()> {
    let key = |record: &'_ Record| match record {
        Ok(change) => change.external_id().to_owned(),
        Err(Unreadable { external_id, .. }) => external_id.clone(),
    };
    let keys: Vec<String> = records.iter().map(key).collect();
    let (mut counts, mut issues): (Counts, Vec<(&str, &FieldIssue, bool)>) = Default::default();
    for (key, Received { answer, .. }) in zip(&keys, received) {
        counts.note(answer.outcome);
        let refused = answer.outcome == Outcome::Rejected;
        issues.extend(answer.issues.iter().map(|issue| (key.as_str(), issue, refused)));
    }
    counts.issues = i64::try_from(issues.len()).unwrap_or(i64::MAX);
    let about: Vec<&str> = keys.iter().map(String::as_str).filter(|key| !key.is_empty()).collect();
    let claimed: Vec<&str> = received.iter().filter_map(|received| received.claimed.as_deref()).collect();
    sync_batches::note(conn, run.run, &about, &claimed).await?;
    sync_batches::note_issues(conn, run.run, &issues).await?;
    sync_runs::count(conn, run.run, &counts, moment.now).await
}
