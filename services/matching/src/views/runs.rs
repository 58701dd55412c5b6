//! Match runs, without what they found.

use eventlog::{Patches, Table};
use identity::{EditionId, MatchRunId, PersonId};
use jiff::Timestamp;
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgExecutor, Row};
use uuid::Uuid;

use super::named;
use crate::domain::run::{Change, Event, Key, Status};
use crate::domain::solution::Staged;

static MATCH_RUNS: Table = Table {
    name: "match_runs",
    key: "match_run_id",
    columns: "edition_id, status, inputs_digest, mentee_count, place_count, pair_count, score, blocking_pair_count, \
              computed_at, published_by, version",
};

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

pub(super) fn apply(patches: &mut Patches, event: &Event, version: i64, at: Timestamp) {
    let run = event.key.run;
    let mut status = |status: Status| {
        let row = json!({ "match_run_id": run, "status": status.name(), "version": version });
        patches.change(&MATCH_RUNS, row);
    };
    match &event.change {
        Change::Staged(staged) | Change::Revised(staged) => {
            set(patches, event.key, staged, version, at);
        }
        Change::Reviewed(_) => status(Status::Reviewed),
        Change::Published(by) => {
            status(Status::Published);
            patches.change(&MATCH_RUNS, json!({ "match_run_id": run, "published_by": by }));
        }
    }
}

fn set(patches: &mut Patches, key: Key, staged: &Staged, version: i64, at: Timestamp) {
    let row = json!({
        "match_run_id": key.run, "edition_id": key.edition, "status": Status::Staged.name(), "version": version,
        "inputs_digest": staged.inputs_digest, "mentee_count": staged.mentee_count,
        "place_count": staged.place_count, "pair_count": staged.pairs.len(), "score": staged.score(),
        "blocking_pair_count": staged.blocking_pair_count, "computed_at": at,
    });
    patches.set(&MATCH_RUNS, row);
}
