//! Match runs, without what they found.

use identity::{EditionId, MatchRunId, PersonId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, Row};
use uuid::Uuid;

use super::named;
use crate::domain::run::{Change, Event, Key, Status};
use crate::domain::solution::Staged;

/// A run as it stands.
#[derive(Clone, Debug)]
pub struct RunRow {
    /// Which run it is, and of what.
    pub key: Key,
    /// Where it is.
    pub status: Status,
    /// The digest of the inputs.
    pub inputs_digest: String,
    /// Executives in the run.
    pub mentee_count: i32,
    /// Places of the mentors in the run.
    pub place_count: i32,
    /// Tandems found.
    pub pair_count: i32,
    /// The sum of the scores.
    pub score: i32,
    /// Pairs who would both rather have each other.
    pub blocking_pair_count: i32,
    /// When it was computed.
    pub computed_at: Timestamp,
    /// Its version.
    pub version: i64,
}

impl FromRow<'_, PgRow> for RunRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            key: Key {
                run: MatchRunId::from_uuid(row.try_get("match_run_id")?),
                edition: EditionId::from_uuid(row.try_get("edition_id")?),
            },
            status: named(row, "status", &Status::ALL, Status::name)?,
            inputs_digest: row.try_get("inputs_digest")?,
            mentee_count: row.try_get("mentee_count")?,
            place_count: row.try_get("place_count")?,
            pair_count: row.try_get("pair_count")?,
            score: row.try_get("score")?,
            blocking_pair_count: row.try_get("blocking_pair_count")?,
            computed_at: row.try_get::<jiff_sqlx::Timestamp, _>("computed_at")?.to_jiff(),
            version: row.try_get("version")?,
        })
    }
}

/// One run.
///
/// # Errors
/// If the database fails.
pub async fn find(executor: impl PgExecutor<'_>, run: MatchRunId) -> sqlx::Result<Option<RunRow>> {
    sqlx::query_as("select * from match_runs where match_run_id = $1")
        .bind(run.uuid())
        .fetch_optional(executor)
        .await
}

/// A page of an edition's runs, newest first.
///
/// # Errors
/// If the database fails.
pub async fn page(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    before: Option<MatchRunId>,
    limit: i64,
) -> sqlx::Result<Vec<RunRow>> {
    sqlx::query_as(
        "select * from match_runs
         where edition_id = $1 and ($2::uuid is null or match_run_id < $2)
         order by match_run_id desc
         limit $3",
    )
    .bind(edition.uuid())
    .bind(before.map(MatchRunId::uuid))
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// Who published the edition's last run, if one was.
///
/// # Errors
/// If the database fails.
pub async fn released_by(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
) -> sqlx::Result<Option<PersonId>> {
    let by: Option<Uuid> = sqlx::query_scalar(
        "select published_by from match_runs
         where edition_id = $1 and published_by is not null
         order by match_run_id desc
         limit 1",
    )
    .bind(edition.uuid())
    .fetch_optional(executor)
    .await?;
    Ok(by.map(PersonId::from_uuid))
}

pub(super) async fn apply(
    conn: &mut PgConnection,
    event: &Event,
    version: i64,
    at: Timestamp,
) -> sqlx::Result<()> {
    match &event.change {
        Change::Staged(staged) | Change::Revised(staged) => set(conn, event.key, staged, version, at).await,
        Change::Reviewed(_) => advance(conn, event.key, Status::Reviewed, version).await,
        Change::Published(by) => {
            advance(&mut *conn, event.key, Status::Published, version).await?;
            release(conn, event.key, *by).await
        }
    }
}

async fn set(
    conn: &mut PgConnection,
    key: Key,
    staged: &Staged,
    version: i64,
    at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into match_runs (match_run_id, edition_id, status, inputs_digest, mentee_count, place_count,
                                 pair_count, score, blocking_pair_count, computed_at, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (match_run_id) do update
         set status = excluded.status,
             inputs_digest = excluded.inputs_digest,
             mentee_count = excluded.mentee_count,
             place_count = excluded.place_count,
             pair_count = excluded.pair_count,
             score = excluded.score,
             blocking_pair_count = excluded.blocking_pair_count,
             computed_at = excluded.computed_at,
             version = excluded.version",
    )
    .bind(key.run.uuid())
    .bind(key.edition.uuid())
    .bind(Status::Staged.name())
    .bind(&staged.inputs_digest)
    .bind(staged.mentee_count)
    .bind(staged.place_count)
    .bind(i32::try_from(staged.pairs.len()).unwrap_or(i32::MAX))
    .bind(staged.score())
    .bind(staged.blocking_pair_count)
    .bind(at.to_sqlx())
    .bind(version)
    .execute(conn)
    .await
    .map(drop)
}

async fn release(conn: &mut PgConnection, key: Key, by: PersonId) -> sqlx::Result<()> {
    sqlx::query("update match_runs set published_by = $2 where match_run_id = $1")
        .bind(key.run.uuid())
        .bind(by.uuid())
        .execute(conn)
        .await
        .map(drop)
}

async fn advance(conn: &mut PgConnection, key: Key, status: Status, version: i64) -> sqlx::Result<()> {
    sqlx::query("update match_runs set status = $2, version = $3 where match_run_id = $1")
        .bind(key.run.uuid())
        .bind(status.name())
        .bind(version)
        .execute(conn)
        .await
        .map(drop)
}
