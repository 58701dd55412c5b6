//! Single workers, put and removed one at a time by sources that know no runs.

use eventlog::Context;
use identity::SyncRunId;
use jiff::tz::TimeZone;
use sqlx::PgConnection;

use super::batch::Taking;
use super::ending::plain;
use super::{Refused, Sync, commit, moment};
use crate::domain::merge::Source;
use crate::domain::register::Moment;
use crate::domain::sync_run::{Mode, State};
use crate::domain::worker::{
    Answer, Change, FieldIssue, Outcome, State as Standing, Stored, Tombstone, Worker,
};
use crate::views::sync_runs::{self, End, Opening, RunRow};
use crate::views::{directory, sync_batches, sync_pending, workers};

/// A worker to be created or replaced.
#[derive(Clone, Debug)]
pub(crate) struct Put {
    /// The record, whose version is numbered by the service.
    pub(crate) worker: Worker,
    /// What looks wrong with it and is taken over all the same.
    pub(crate) noticed: Vec<FieldIssue>,
    /// The etag that the worker must have, empty for any; `*` if there must be none.
    pub(crate) etag: String,
    /// Whether a record without a date of birth leaves the one that is kept as it is.
    pub(crate) keep_birth_date: bool,
}

impl Sync {
    /// Creates or replaces one worker, whose version is numbered here.
    pub(crate) async fn put(&self, context: &Context, source: &str, put: Put) -> Result<Answer, Refused> {
        let mut work = self.begin(context).await?;
        let mut unit = work.unit();
        let conn = unit.conn();
        let source = held(conn, source).await?;
        let Put { mut worker, noticed, etag, keep_birth_date } = put;
        let stored = find(conn, &source, &worker.external_id).await?;
        check_etag(stored.as_ref(), &etag)?;
        let (name, key) = (&worker.user_name, &worker.external_id);
        if !name.is_empty() && workers::is_user_name_taken(&mut *conn, &source.name, name, key).await? {
            return Err(Refused::DuplicateUserName);
        }
        worker.source_version = next_version(conn, &source, key, stored.as_ref()).await?;
        let run = continuous(conn, context, &source).await?;
        let record = Ok(Change::Upsert { worker, effective_date: None, noticed });
        let moment = Moment { grace_days: source.grace_days, numbers: true, ..moment(context) };
        let taking = Taking { moment, keep_birth_dates: keep_birth_date };
        let answers = self.batch(&mut unit, &run, &[record], taking).await?;
        commit(work, &run).await?;
        Ok(only(answers))
    }

    /// Ends one worker.
    pub(crate) async fn remove(
        &self,
        context: &Context,
        source: &str,
        external_id: &str,
        kind: Tombstone,
        etag: &str,
    ) -> Result<Answer, Refused> {
        let mut work = self.begin(context).await?;
        let mut unit = work.unit();
        let conn = unit.conn();
        let source = held(conn, source).await?;
        let stored =
            find(conn, &source, external_id).await?.filter(is_there).ok_or(Refused::UnknownWorker)?;
        check_etag(Some(&stored), etag)?;
        let source_version = next_version(conn, &source, external_id, Some(&stored)).await?;
        let run = continuous(conn, context, &source).await?;
        let external_id = external_id.to_owned();
        let record = Ok(Change::Tombstone { external_id, source_version, kind, last_day: None });
        let taking = Taking { moment: moment(context), keep_birth_dates: false };
        let answers = self.batch(&mut unit, &run, &[record], taking).await?;
        commit(work, &run).await?;
        Ok(only(answers))
    }
}

async fn held(conn: &mut PgConnection, name: &str) -> Result<Source, Refused> {
    directory::hold_alone(conn).await?;
    let sources = workers::sources(conn).await?;
    let source = sources.into_iter().find(|source| source.name == name);
    source.ok_or_else(|| Refused::UnknownSource(name.to_owned()))
}

async fn find(conn: &mut PgConnection, source: &Source, key: &str) -> Result<Option<Stored>, Refused> {
    let rows = workers::by_keys(conn, [(source.rank, key)]).await?;
    Ok(rows.into_iter().next().map(|row| row.stored))
}

fn is_there(stored: &Stored) -> bool {
    matches!(stored.state, Standing::Active | Standing::Inactive)
}

fn check_etag(stored: Option<&Stored>, etag: &str) -> Result<(), Refused> {
    let there = stored.filter(|stored| is_there(stored));
    match (etag.trim_matches('"'), there) {
        ("", _) | ("*", None) => Ok(()),
        ("*", Some(_)) => Err(Refused::Exists),
        (etag, Some(stored)) if etag == stored.worker.source_version.to_string() => Ok(()),
        _ => Err(Refused::Stale),
    }
}

/// A version after all that the source has said of the worker.
async fn next_version(
    conn: &mut PgConnection,
    source: &Source,
    key: &str,
    stored: Option<&Stored>,
) -> Result<i64, Refused> {
    let waiting = sync_pending::newest(conn, &source.name, key).await?;
    let known = stored.filter(|stored| stored.state != Standing::Expected);
    let newest = known.map(|stored| stored.worker.source_version).max(waiting);
    Ok(newest.map_or(1, |version| version.saturating_add(1)))
}

/// The run that collects the single changes of the day.
pub(super) async fn continuous(
    conn: &mut PgConnection,
    context: &Context,
    source: &Source,
) -> Result<RunRow, Refused> {
    let day = |time: jiff::Timestamp| time.to_zoned(TimeZone::UTC).date();
    if let Some(run) = sync_runs::open_of(&mut *conn, &source.name, true).await? {
        if day(run.created_at) == day(context.now) {
            return Ok(run);
        }
        let workers = sync_batches::workers(&mut *conn, run.run).await?;
        let end = End { workers, ..plain(&run, State::Committed) };
        sync_runs::end(conn, run.run, &end, context.now).await?;
    }
    let opening = Opening {
        source: source.name.clone(),
        mode: Mode::Continuous,
        dry_run: false,
        request: None,
        leavers_percent_max: 0,
    };
    Ok(sync_runs::open(conn, SyncRunId::mint(), &opening, context.now).await?)
}

fn only(answers: Vec<Answer>) -> Answer {
    let nothing = Answer { outcome: Outcome::Rejected, person: None, issues: Vec::<FieldIssue>::new() };
    answers.into_iter().next().unwrap_or(nothing)
}
