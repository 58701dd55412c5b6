//! The pipeline on a real Postgres: what becomes of records, whatever happens on their way.

mod again;
mod ends;
mod erased;
mod numbers;
mod order;
mod people;
mod runs;
mod trials;
mod upkeep;

use std::sync::Arc;

use boot::scratch::{self, Scratch};
use boot::{Service, StartError};
use eventlog::{Context, Journal, Wake};
use identity::SyncRunId;
use jiff::Timestamp;
use sqlx::PgPool;
use vault::{MasterKey, Vault};

use super::{Refused, Sync};
use crate::Enrollment;
use crate::domain::sync_run::{LEAVERS_PERCENT_MAX, Mode};
use crate::domain::worker::{Answer, Change, Outcome, Record, Tombstone, Worker};
use crate::views::Views;
use crate::views::sync_runs::{self, Opening, RunRow};

/// A Wednesday.
const NOW: &str = "2014-01-15T09:00:00Z";

/// The pipeline with a database of its own.
struct Stage {
    sync: Sync,
    pool: PgPool,
    now: Timestamp,
    _database: Scratch,
}

impl Stage {
    async fn new() -> Self {
        let fill = async |database: &boot::database::Database| -> Result<(), StartError> {
            let failed = |source| StartError::Migration { service: "enrollment", source };
            eventlog::migrate(&database.pool("eventlog")).await?;
            vault::migrate(&database.pool("vault")).await.map_err(failed)?;
            Enrollment::migrations().run(&database.pool("enrollment")).await.map_err(failed)
        };
        let database = scratch::database("sync", fill).await.unwrap();
        let pool = database.pool("enrollment");
        let master = MasterKey::from_bytes(&[7; 32]).unwrap();
        let vault = Vault::unlock(&database.pool("vault"), master).await.unwrap();
        let journal = Journal::new(pool.clone(), Wake::default(), Views);
        let sync = Sync { pool: pool.clone(), journal, vault, turn: Arc::default() };
        Self { sync, pool, now: NOW.parse().unwrap(), _database: database }
    }

    fn context(&self) -> Context {
        Context { now: self.now, actor: None, idempotency: None, expected_version: None }
    }

    /// Adds a source behind those there are.
    async fn add_source(&self, name: &str, owns: &[&str]) {
        sqlx::query("insert into sources (source_id, rank, owns) select $1, max(rank) + 1, $2 from sources")
            .bind(name)
            .bind(owns)
            .execute(&self.pool)
            .await
            .unwrap();
    }

    /// From now on a rule needs dates of birth, until the next day.
    async fn needs_births(&self) {
        sqlx::query(
        "insert into editions (edition_id, phase, reference_date, start_date, months, session_minutes, leaders_only,
             included, excluded, tenure_months_min, level_min, chain_levels, other_department, topics,
             mentor_capacity_max, answer_working_days, acknowledge_days, anonymity_k, time_zone, sealed_texts,
             age_released, age_expiry_date, version)
         values (gen_random_uuid(), 'open', '2014-01-01', '2014-01-01', 6, 60, false, '{}', '{}', 0, 0, 0, false, '{}',
                 1, 1, 1, 5, 'UTC', '', true, '2014-01-16', 1)",
    )
    .execute(&self.pool)
    .await
    .unwrap();
    }

    async fn open(&self, source: &str, mode: Mode, dry_run: bool) -> Result<SyncRunId, Refused> {
        let (source, leavers_percent_max) = (source.to_owned(), LEAVERS_PERCENT_MAX);
        let opening = Opening { source, mode, dry_run, request: None, leavers_percent_max };
        self.sync.open(&self.context(), opening).await.map(|run| run.run)
    }

    async fn take(&self, run: SyncRunId, records: Vec<Record>) -> Vec<Answer> {
        self.sync.take(&self.context(), run, records, false).await.unwrap()
    }

    async fn finish(&self, run: SyncRunId, expected_workers: i64) -> RunRow {
        self.sync.finish(&self.context(), run, expected_workers).await.unwrap()
    }

    /// A whole run of so many different workers.
    async fn run(&self, source: &str, mode: Mode, workers: i64, records: Vec<Record>) -> RunRow {
        let run = self.open(source, mode, false).await.unwrap();
        self.take(run, records).await;
        self.finish(run, workers).await
    }

    /// What was found in a run: the worker, and what.
    async fn issues(&self, run: SyncRunId) -> Vec<(String, String)> {
        let issues = sync_runs::issues(&self.pool, run, None, 1000).await.unwrap();
        issues.into_iter().map(|issue| (issue.external_id, issue.reason)).collect()
    }

    async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.pool).await.unwrap()
    }

    async fn events(&self) -> Vec<String> {
        let names: Vec<String> = sqlx::query_scalar("select name from eventlog.events order by position")
            .fetch_all(&self.pool)
            .await
            .unwrap();
        names.iter().map(|name| name.rsplit('.').next().unwrap_or_default().to_owned()).collect()
    }

    /// How workers stand: key, state, and whether events say that they work here.
    async fn standing(&self) -> Vec<(String, String, Option<bool>)> {
        sqlx::query_as(
            "select external_id, state, (people.person_id is not null and people.last_day is null)
             from workers left join people using (person_id)
             order by external_id, source_id",
        )
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    async fn level(&self, key: &str) -> Option<i32> {
        sqlx::query_scalar("select level_of(person_id) from workers where external_id = $1")
            .bind(key)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }
}

/// A worker of Sales, with a superior or none.
fn worker(key: &str, version: i64, manager: Option<&str>) -> Worker {
    Worker {
        employee_number: Some(format!("n-{key}")),
        given_name: "Ada".to_owned(),
        family_name: key.to_owned(),
        email: format!("{key}@example.com"),
        job_title: "Clerk".to_owned(),
        org_unit_path: vec!["Sales".to_owned()],
        manager_external_id: manager.map(str::to_owned),
        hire_date: Some(jiff::civil::date(2010, 3, 1)),
        ..Worker::blank(key.to_owned(), version)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a record is what could be read, or not")]
fn record(worker: Worker) -> Record {
    Ok(Change::Upsert { worker, effective_date: None, noticed: Vec::new() })
}

fn upsert(key: &str, version: i64, manager: Option<&str>) -> Record {
    record(worker(key, version, manager))
}

#[expect(clippy::unnecessary_wraps, reason = "a record is what could be read, or not")]
fn end(key: &str, version: i64, kind: Tombstone) -> Record {
    Ok(Change::Tombstone { external_id: key.to_owned(), source_version: version, kind, last_day: None })
}

fn outcomes(answers: &[Answer]) -> Vec<Outcome> {
    answers.iter().map(|answer| answer.outcome).collect()
}

/// A company of a head and so many who report to it.
fn company(reports: usize, version: i64) -> Vec<Record> {
    let rest = (0..reports).map(|at| upsert(&format!("w{at:02}"), version, Some("head")));
    rest.chain([upsert("head", version, None)]).collect()
}
