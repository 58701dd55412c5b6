//! What the passing of time makes due: records whose day has come, first and last days, runs that nobody ends.

use std::collections::BTreeSet;

use eventlog::{BoxError, Context};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::batch::{Taking, know_related};
use super::single::continuous;
use super::{RECORDS_MAX, Refused, Sync, commit, moment};
use crate::domain::register::Register;
use crate::views::{directory, sources, sync_batches, sync_pending, sync_runs, sync_trials, workers};

/// How long a run stays open without a record.
const UNTOUCHED_HOURS_MAX: i64 = 24;

/// How long a held run waits for a person.
const HELD_DAYS_MAX: i64 = 30;

/// How long a run and what was found in it are kept.
const KEPT_DAYS: i64 = 90;

impl Sync {
    /// Does what is due by now.
    pub(crate) async fn pass(&self, now: Timestamp) -> Result<(), BoxError> {
        let context = Context { now, actor: None, idempotency: None, expected_version: None };
        let today = now.to_zoned(TimeZone::UTC).start_of_day()?.timestamp();
        let ago = |days: i64| now.saturating_sub((24 * days).hours());
        let untouched_since = now.saturating_sub(UNTOUCHED_HOURS_MAX.hours())?;
        sync_runs::expire(&self.pool, now, untouched_since, ago(HELD_DAYS_MAX)?, today).await?;
        for run in sync_runs::leaving(&self.pool).await? {
            self.make_leavers(&context, run.run).await?;
        }
        for source in sync_pending::due_sources(&self.pool, moment(&context).today).await? {
            while self.apply_due(&context, &source).await? {}
        }
        while self.begin_and_end(&context).await? {}
        while self.look_again(&context).await? {}
        self.expect_no_more(&context).await?;
        sync_batches::forget(&self.pool).await?;
        sync_trials::forget(&self.pool).await?;
        sync_runs::forget(&self.pool, ago(KEPT_DAYS)?).await?;
        Ok(())
    }

    /// Forgets who is expected and whom nobody names any more.
    async fn expect_no_more(&self, context: &Context) -> Result<(), Refused> {
        let mut work = self.begin(context).await?;
        let mut unit = work.unit();
        directory::hold_alone(unit.conn()).await?;
        if workers::expect_no_more(unit.conn()).await? == 0 {
            return Ok(());
        }
        work.commit(nobody()).await
    }

    /// Looks at people of a source that owns something else than before; tells whether there may be more.
    async fn look_again(&self, context: &Context) -> Result<bool, Refused> {
        let mut work = self.begin(context).await?;
        let mut unit = work.unit();
        directory::hold_alone(unit.conn()).await?;
        let Some((rank, from)) = sources::to_look_at(&mut *unit.conn()).await? else { return Ok(false) };
        let limit = i64::try_from(RECORDS_MAX).unwrap_or(i64::MAX);
        let rows = workers::after(&mut *unit.conn(), rank, &from, limit).await?;
        let last = rows.last().map(|row| row.stored.worker.external_id.clone());
        sources::looked_at(unit.conn(), rank, &from, last.as_deref()).await?;
        let mut register = Register::new(workers::sources(&mut *unit.conn()).await?);
        let mut people = BTreeSet::new();
        for row in rows {
            people.insert(row.stored.person);
            register.know(row.rank, row.stored);
        }
        know_related(unit.conn(), &mut register, &[], people.clone()).await?;
        for person in people {
            register.look_at(person);
        }
        self.settle(&mut unit, &mut register, &BTreeSet::new(), moment(context)).await?;
        work.commit(nobody()).await?;
        Ok(true)
    }

    /// Applies records of a source whose day has come; tells whether there may be more.
    async fn apply_due(&self, context: &Context, source: &str) -> Result<bool, Refused> {
        let mut work = self.begin(context).await?;
        let mut unit = work.unit();
        let conn = unit.conn();
        directory::hold_alone(conn).await?;
        let sources = workers::sources(&mut *conn).await?;
        let Some(source) = sources.into_iter().find(|known| known.name == source) else { return Ok(false) };
        let (moment, limit) = (moment(context), i64::try_from(RECORDS_MAX).unwrap_or(i64::MAX));
        let due = sync_pending::take_due(conn, &source.name, moment.today, limit).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let run = continuous(conn, context, &source).await?;
        let records: Vec<_> = due.into_iter().map(Ok).collect();
        self.batch(&mut unit, &run, &records, Taking { moment, keep_birth_dates: true }).await?;
        commit(work, &run).await?;
        Ok(records.len() == RECORDS_MAX)
    }

    /// Lets first and last days take effect; tells whether there may be more.
    async fn begin_and_end(&self, context: &Context) -> Result<bool, Refused> {
        let (moment, limit) = (moment(context), i64::try_from(RECORDS_MAX).unwrap_or(i64::MAX));
        let mut work = self.begin(context).await?;
        let mut unit = work.unit();
        directory::hold_alone(unit.conn()).await?;
        let due = workers::due(&mut *unit.conn(), moment.today, limit).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let mut register = Register::new(workers::sources(&mut *unit.conn()).await?);
        let (mut keys, mut people) = (Vec::new(), BTreeSet::new());
        for row in due {
            keys.push((row.rank, row.stored.worker.external_id.clone()));
            people.insert(row.stored.person);
            register.know(row.rank, row.stored);
        }
        know_related(unit.conn(), &mut register, &[], people).await?;
        for (rank, key) in &keys {
            register.pass(*rank, key, moment.today);
        }
        self.settle(&mut unit, &mut register, &BTreeSet::new(), moment).await?;
        work.commit(nobody()).await?;
        Ok(keys.len() == RECORDS_MAX)
    }
}

/// The receipt of what nobody asked for.
fn nobody() -> eventlog::Receipt {
    eventlog::Receipt { id: uuid::Uuid::nil(), version: 0, position: 0 }
}
