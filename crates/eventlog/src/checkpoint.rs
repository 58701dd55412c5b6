//! Checkpoints: how far each lane of a consumer has come, who may move it, and what it does not get past.

use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgExecutor, PgPool, Row};

use crate::{Error, Recorded, StreamId};

/// An event that a consumer cannot take in; it names the place, never the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poison {
    /// Where it stands in the log.
    pub position: i64,
    /// Its full name.
    pub name: String,
    /// How often it has failed in a row.
    pub failures: i32,
    /// When it failed first, by the database's clock.
    pub since: Timestamp,
}

impl FromRow<'_, PgRow> for Poison {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            position: row.try_get("failed_position")?,
            name: row.try_get("failed_name")?,
            failures: row.try_get("failures")?,
            since: row.try_get::<jiff_sqlx::Timestamp, _>("failing_since")?.to_jiff(),
        })
    }
}

/// The part of all streams that a lane takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// Which lane, from 0.
    pub(crate) lane: i32,
    /// Of how many.
    pub(crate) lanes: i32,
}

impl Share {
    pub(crate) fn is_all(self) -> bool {
        self.lanes <= 1
    }

    /// Whether a stream is in this share, which is decided by its id alone: ids are spread evenly already.
    pub(crate) fn includes(self, stream: &StreamId) -> bool {
        let lanes = u128::from(self.lanes.unsigned_abs().max(1));
        stream.id.as_u128() % lanes == u128::from(self.lane.unsigned_abs())
    }
}

/// What asking for the lease of a lane led to.
#[derive(Debug)]
pub(crate) struct Claim {
    /// How far the lane has come.
    pub(crate) position: i64,
    /// The proof that the lease is ours; none if another process has it.
    pub(crate) fence: Option<i64>,
    /// What the lane does not get past.
    pub(crate) poison: Option<Poison>,
}

impl FromRow<'_, PgRow> for Claim {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let position = row.try_get("position")?;
        let failed: Option<i64> = row.try_get("failed_position")?;
        let stuck = failed.is_some_and(|failed| failed > position);
        let poison = stuck.then(|| Poison::from_row(row)).transpose()?;
        Ok(Self { position, fence: row.try_get("fence")?, poison })
    }
}

/// The checkpoint of one lane.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoint {
    pub(crate) pool: PgPool,
    pub(crate) consumer: &'static str,
    pub(crate) share: Share,
}

impl Checkpoint {
    /// Takes the lease if it is free or still ours; none if there is no such lane any more.
    ///
    /// A leader at work has locked its row, and nobody waits for that here.
    pub(crate) async fn claim(&self, ours: Option<i64>) -> sqlx::Result<Option<Claim>> {
        sqlx::query_as(
            "with free as (
                 select consumer, lane
                 from eventlog.checkpoints
                 where consumer = $1 and lane = $2 and lanes = $3
                   and (fence = $4 or not eventlog.is_held(renewed_at, holder))
                 for update skip locked
             ),
             claimed as (
                 update eventlog.checkpoints as checkpoint
                 set fence = fence + 1, holder = pg_backend_pid(), renewed_at = clock_timestamp()
                 from free
                 where checkpoint.consumer = free.consumer and checkpoint.lane = free.lane
                 returning checkpoint.*
             )
             select position, fence, failed_position, failed_name, failures, failing_since
             from claimed
             union all
             select position, null, failed_position, failed_name, failures, failing_since
             from eventlog.checkpoints
             where consumer = $1 and lane = $2 and lanes = $3 and not exists (select from claimed)",
        )
        .bind(self.consumer)
        .bind(self.share.lane)
        .bind(self.share.lanes)
        .bind(ours)
        .fetch_optional(&self.pool)
        .await
    }

    /// Moves the checkpoint and renews the lease, if both are still as they were left.
    ///
    /// The row stays locked until the end of the transaction, so that nobody who has lost the lease does anything at all.
    /// The commit does not wait for the disk if it `may_be_undone`: a crash then takes back the checkpoint together with
    /// everything that was done with it.
    pub(crate) async fn advance(
        &self,
        executor: impl PgExecutor<'_>,
        fence: i64,
        (from, to): (i64, i64),
        may_be_undone: bool,
    ) -> sqlx::Result<bool> {
        let moved = sqlx::query(
            "update eventlog.checkpoints
             set position = $6, holder = pg_backend_pid(), renewed_at = clock_timestamp()
             from (select case when $7 then set_config('synchronous_commit', 'off', true) end) as commit
             where consumer = $1 and lane = $2 and lanes = $3 and fence = $4 and position = $5",
        )
        .bind(self.consumer)
        .bind(self.share.lane)
        .bind(self.share.lanes)
        .bind(fence)
        .bind(from)
        .bind(to)
        .bind(may_be_undone)
        .execute(executor)
        .await?;
        Ok(moved.rows_affected() == 1)
    }

    /// Gives the lease back.
    pub(crate) async fn release(&self, fence: i64) -> sqlx::Result<()> {
        let release = "update eventlog.checkpoints set renewed_at = null, holder = null
                       where consumer = $1 and lane = $2 and fence = $3";
        sqlx::query(release)
            .bind(self.consumer)
            .bind(self.share.lane)
            .bind(fence)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Writes down what the lane does not get past; none if the lease is lost.
    pub(crate) async fn fail(&self, fence: i64, position: i64, name: &str) -> sqlx::Result<Option<Poison>> {
        sqlx::query_as(
            "update eventlog.checkpoints
             set failures = case when failed_position = $4 then failures + 1 else 1 end,
                 failing_since = case when failed_position = $4 then failing_since else clock_timestamp() end,
                 failed_position = $4, failed_name = $5
             where consumer = $1 and lane = $2 and fence = $3
             returning failed_position, failed_name, failures, failing_since",
        )
        .bind(self.consumer)
        .bind(self.share.lane)
        .bind(fence)
        .bind(position)
        .bind(name)
        .fetch_optional(&self.pool)
        .await
    }
}

/// The positions of a consumer's lanes, of which there are as many as wanted if that is possible now.
///
/// Another number of lanes shares the streams out differently, so it needs that all have come equally far and nobody is at
/// work.
pub(crate) async fn lanes(pool: &PgPool, consumer: &str, wanted: i32) -> sqlx::Result<Vec<i64>> {
    const POSITIONS: &str = "select position from eventlog.checkpoints where consumer = $1 order by lane";
    let positions: Vec<i64> = sqlx::query_scalar(POSITIONS).bind(consumer).fetch_all(pool).await?;
    if i32::try_from(positions.len()) == Ok(wanted) {
        return Ok(positions);
    }
    let mut sql = pool.begin().await?;
    // A consumer that is new has no rows to be locked.
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('eventlog.checkpoints/' || $1, 0))")
        .bind(consumer)
        .execute(&mut *sql)
        .await?;
    let there = "select position, fence, eventlog.is_held(renewed_at, holder)
                 from eventlog.checkpoints where consumer = $1 order by lane for update";
    let there: Vec<(i64, i64, bool)> = sqlx::query_as(there).bind(consumer).fetch_all(&mut *sql).await?;
    let common = there.first().map_or(0, |(position, ..)| *position);
    if there.iter().any(|(position, _, held)| *held || *position != common) {
        return Ok(there.into_iter().map(|(position, ..)| position).collect());
    }

    let fence = there.iter().map(|(_, fence, _)| *fence).max().unwrap_or_default();
    sqlx::query("delete from eventlog.checkpoints where consumer = $1")
        .bind(consumer)
        .execute(&mut *sql)
        .await?;
    let shared_out = "insert into eventlog.checkpoints (consumer, lane, lanes, position, fence)
                      select $1, lane, $2, $3, $4 from generate_series(0, $2 - 1) as lane";
    sqlx::query(shared_out).bind(consumer).bind(wanted).bind(common).bind(fence).execute(&mut *sql).await?;
    let positions = sqlx::query_scalar(POSITIONS).bind(consumer).fetch_all(&mut *sql).await?;
    sql.commit().await?;
    Ok(positions)
}

/// How far the lanes of a consumer have come, for those who compare what it has written with the log.
#[derive(Clone, Debug)]
pub struct Reached(Vec<(Share, i64)>);

impl Reached {
    /// Whether the consumer has taken an event in.
    #[must_use]
    pub fn covers(&self, event: &Recorded) -> bool {
        let Self(lanes) = self;
        lanes.iter().any(|(share, position)| share.includes(&event.stream) && event.position <= *position)
    }

    /// Up to the first position it has taken in everything, beyond the second one nothing.
    #[must_use]
    pub fn bounds(&self) -> (i64, i64) {
        let positions = || self.0.iter().map(|(_, position)| *position);
        (positions().min().unwrap_or_default(), positions().max().unwrap_or_default())
    }
}

/// Reads how far a consumer has come; nowhere if there is none of this name.
///
/// # Errors
///
/// [`Error::Database`] if the query fails.
pub async fn reached(executor: impl PgExecutor<'_>, consumer: &str) -> Result<Reached, Error> {
    let lanes = "select lane, lanes, position from eventlog.checkpoints where consumer = $1";
    let lanes: Vec<(i32, i32, i64)> = sqlx::query_as(lanes).bind(consumer).fetch_all(executor).await?;
    Ok(Reached(lanes.into_iter().map(|(lane, lanes, position)| (Share { lane, lanes }, position)).collect()))
}
