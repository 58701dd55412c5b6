//! How a run ends: committed, held or given up; and the leavers it makes.

use std::collections::BTreeSet;

use eventlog::Context;
use identity::SyncRunId;
use sqlx::PgConnection;

use super::batch::know_related;
use super::{RECORDS_MAX, Refused, Sync, commit, hold, moment};
use crate::domain::hierarchy;
use crate::domain::register::Register;
use crate::domain::sync_run::{Counts, Mode, State, are_too_many};
use crate::domain::worker::FieldIssue;
use crate::views::sync_runs::{self, End, RunRow};
use crate::views::{sync_batches, sync_trials, workers};

impl Sync {
    /// Ends a run of which so many different workers were sent; one that has ended stays as it is.
    pub(crate) async fn finish(
        &self,
        context: &Context,
        run: SyncRunId,
        expected_workers: i64,
    ) -> Result<RunRow, Refused> {
        let mut work = self.begin(context).await?;
        let mut unit = work.unit();
        let conn = unit.conn();
        let run = hold(conn, run).await?;
        if run.mode == Mode::Continuous {
            return Err(Refused::NotOpen(run.state));
        }
        if run.state != State::Open {
            return Ok(run);
        }
        let end = end(conn, &run, expected_workers).await?;
        let ended = sync_runs::end(conn, run.run, &end, context.now).await?;
        commit(work, &run).await?;
        if ended.leaving { self.make_leavers(context, ended.run).await } else { Ok(ended) }
    }

    /// Lets a held run make its leavers: those who were absent from it and have not been reported since.
    pub(crate) async fn release(&self, context: &Context, run: SyncRunId) -> Result<RunRow, Refused> {
        let mut work = self.begin(context).await?;
        let mut unit = work.unit();
        let conn = unit.conn();
        let run = hold(conn, run).await?;
        if run.state == State::Committed && run.mode == Mode::FullSnapshot {
            return Ok(run);
        }
        if run.state != State::Held {
            return Err(Refused::NotHeld(run.state));
        }
        let leavers = sync_batches::absent_count(&mut *conn, &run).await?;
        let end = End { leavers, leaving: true, ..plain(&run, State::Committed) };
        sync_runs::end(conn, run.run, &end, context.now).await?;
        commit(work, &run).await?;
        self.make_leavers(context, run.run).await
    }

    /// Gives a run up; nobody leaves.
    pub(crate) async fn drop(&self, context: &Context, run: SyncRunId) -> Result<RunRow, Refused> {
        let mut work = self.begin(context).await?;
        let mut unit = work.unit();
        let conn = unit.conn();
        let run = hold(conn, run).await?;
        match run.state {
            State::Aborted => return Ok(run),
            State::Open | State::Held if run.mode != Mode::Continuous => {}
            state => return Err(Refused::NotOpen(state)),
        }
        let workers = sync_batches::workers(&mut *conn, run.run).await?;
        let stays =
            if run.counts.created > 0 && !run.dry_run { ", and whoever it brought in stays" } else { "" };
        let detail = format!("The run was dropped; nobody has left{stays}.");
        let end = End { detail, workers, leavers: 0, ..plain(&run, State::Aborted) };
        let dropped = sync_runs::end(conn, run.run, &end, context.now).await?;
        commit(work, &run).await?;
        Ok(dropped)
    }

    /// Makes the leavers of a run, of which it is clear that they leave: so many in a transaction as a batch has records, and after
    /// an interruption the rest.
    pub(super) async fn make_leavers(&self, context: &Context, run: SyncRunId) -> Result<RunRow, Refused> {
        loop {
            let mut work = self.begin(context).await?;
            let mut unit = work.unit();
            let run = hold(unit.conn(), run).await?;
            if !run.leaving {
                return Ok(run);
            }
            let limit = i64::try_from(RECORDS_MAX).unwrap_or(i64::MAX);
            let absent = sync_batches::absent(&mut *unit.conn(), &run, limit).await?;
            if absent.len() < RECORDS_MAX {
                sync_runs::all_left(unit.conn(), run.run).await?;
            }
            let mut register = Register::new(workers::sources(&mut *unit.conn()).await?);
            let source = register.source(&run.source).map(|source| source.rank);
            let rank = source.ok_or_else(|| Refused::UnknownSource(run.source.clone()))?;
            let keys: Vec<&str> = absent.iter().map(String::as_str).collect();
            let mut people = BTreeSet::new();
            for row in workers::by_keys(&mut *unit.conn(), keys.iter().map(|key| (rank, *key))).await? {
                people.insert(row.stored.person);
                register.know(row.rank, row.stored);
            }
            know_related(unit.conn(), &mut register, &[], people).await?;
            let moment = moment(context);
            for key in &keys {
                register.leave(rank, key, moment.today);
            }
            self.settle(&mut unit, &mut register, &BTreeSet::new(), moment).await?;
            let staying: Vec<_> = keys
                .iter()
                .filter_map(|key| Some((*key, register.find(rank, key)?.person)))
                .filter_map(|(key, person)| Some((key, register.merge(person).stays(rank, moment.today)?)))
                .collect();
            let issues: Vec<_> = staying.iter().map(|(key, issue)| (*key, issue, false)).collect();
            sync_batches::note_issues(unit.conn(), run.run, &issues).await?;
            let found = i64::try_from(issues.len()).unwrap_or(i64::MAX);
            let counts = Counts { issues: found, ..Counts::default() };
            sync_runs::count(unit.conn(), run.run, &counts, context.now).await?;
            commit(work, &run).await?;
        }
    }
}

/// An end at which nothing new is found.
pub(super) fn plain(run: &RunRow, state: State) -> End {
    let (workers, leavers) = (run.counts.workers, run.counts.left);
    End { state, detail: String::new(), workers, leavers, issues: 0, leaving: false }
}

/// What a run comes to.
async fn end(conn: &mut PgConnection, run: &RunRow, expected_workers: i64) -> Result<End, Refused> {
    let workers = sync_batches::workers(&mut *conn, run.run).await?;
    if workers != expected_workers {
        let detail = format!(
            "{workers} different workers arrived, {expected_workers} were expected; nobody has left."
        );
        return Ok(End { detail, workers, ..plain(run, State::Aborted) });
    }
    if run.dry_run {
        sync_trials::begin(&mut *conn).await?;
        sync_trials::put_all_in_place(&mut *conn, run.run).await?;
    }
    let mut found = wrong_in_line(&mut *conn, run).await?;
    let mut end = End { workers, ..plain(run, State::Committed) };
    if run.mode == Mode::FullSnapshot {
        for key in sync_batches::claimed(&mut *conn, run).await? {
            let message = "The worker is absent and stays: a record that was refused has the same number.";
            found.push((key, FieldIssue::new("worker.employee_number", "NUMBER_CLAIMED", message)));
        }
        if sync_batches::has_nameless(&mut *conn, run.run).await? {
            let detail = "Some records do not say whom they are about; nobody has left.".to_owned();
            end = End { state: State::Aborted, detail, ..end };
        } else {
            end.leavers = sync_batches::absent_count(&mut *conn, run).await?;
        }
        end.leaving = end.leavers > 0 && !run.dry_run;
        if are_too_many(end.leavers, run.active_before, run.leavers_percent_max) {
            let detail = too_many(end.leavers, run);
            found.push((String::new(), FieldIssue::new("", "TOO_MANY_LEAVERS", detail.clone())));
            if !run.dry_run {
                end = End { state: State::Held, detail, leaving: false, ..end };
            }
        }
    }
    if run.dry_run {
        sync_trials::undo(&mut *conn).await?;
    }
    end.issues = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let found: Vec<_> = found.iter().map(|(key, issue)| (key.as_str(), issue, false)).collect();
    sync_batches::note_issues(conn, run.run, &found).await?;
    Ok(end)
}

/// Why a snapshot is held. Whoever came in by a snapshot that did not stand would make the next one look right, and is not counted.
fn too_many(leavers: i64, run: &RunRow) -> String {
    let RunRow { active_at_opening: active, active_before: before, leavers_percent_max: max, .. } = run;
    let of = if before == active {
        String::new()
    } else {
        format!(" of the {before} there were before snapshots that were dropped or are held")
    };
    format!("{leavers} of {active} workers would leave, more than {max} per cent{of}.")
}

/// What is wrong with the reporting line. A snapshot says who is at the top; beside a delta, whoever was there before is.
async fn wrong_in_line(conn: &mut PgConnection, run: &RunRow) -> Result<Vec<(String, FieldIssue)>, Refused> {
    let members = sync_batches::reporting_line(&mut *conn, run).await?;
    let top = match run.mode {
        Mode::FullSnapshot => None,
        Mode::Delta | Mode::Continuous => sync_batches::top(&mut *conn, &run.source).await?,
    };
    let told_top = || members.iter().find(|member| member.told && member.manager.is_none());
    let top = top.or_else(|| told_top().map(|member| member.key.clone()));
    Ok(hierarchy::check(&members, top.as_deref()))
}
