//! The scoring rules of editions, version by version.

use eventlog::{Patches, Table};
use identity::{EditionId, PersonId};
use jiff::Timestamp;
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgExecutor, Row};
use uuid::Uuid;

use crate::domain::document::{Event, Origin};
use crate::domain::scoring::{PerCriterion, Scoring, ScoringRules};

static SCORING_RULES: Table = Table {
    name: "scoring_rules",
    key: "edition_id, version",
    columns: "weights, bands, valid_from, set_by_person_id",
};

/// A version as it was set.
#[derive(Clone, Debug)]
pub struct ScoringRow {
    /// The version and its rules.
    pub scoring: Scoring,
    /// Since when it is in force.
    pub valid_from: Timestamp,
    /// Who set it; none for what came with a copied edition.
    pub set_by: Option<PersonId>,
}

impl FromRow<'_, PgRow> for ScoringRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let unsound = |index: &str| sqlx::Error::ColumnDecode {
            index: index.to_owned(),
            source: "no scoring rules are like that".into(),
        };
        let (weights, bands): (Vec<i32>, Vec<i32>) = (row.try_get("weights")?, row.try_get("bands")?);
        let weights = weights.try_into().map_err(|_| unsound("weights"))?;
        let rules = ScoringRules::try_new(PerCriterion(weights), &bands).map_err(|_| unsound("bands"))?;
        Ok(Self {
            scoring: Scoring { version: row.try_get("version")?, rules },
            valid_from: row.try_get::<jiff_sqlx::Timestamp, _>("valid_from")?.to_jiff(),
            set_by: row.try_get::<Option<Uuid>, _>("set_by_person_id")?.map(PersonId::from_uuid),
        })
    }
}

/// The version in force, if one was set.
///
/// # Errors
/// If the database fails.
pub async fn latest(executor: impl PgExecutor<'_>, edition: EditionId) -> sqlx::Result<Option<ScoringRow>> {
    sqlx::query_as("select * from scoring_rules where edition_id = $1 order by version desc limit 1")
        .bind(edition.uuid())
        .fetch_optional(executor)
        .await
}

/// One version; version 0 is the default, and so is one that was never set.
///
/// # Errors
/// If the database fails.
pub async fn version(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    version: i32,
) -> sqlx::Result<Scoring> {
    let found: Option<ScoringRow> =
        sqlx::query_as("select * from scoring_rules where edition_id = $1 and version = $2")
            .bind(edition.uuid())
            .bind(version)
            .fetch_optional(executor)
            .await?;
    Ok(found.map(|row| row.scoring).unwrap_or_default())
}

/// A page of the versions of an edition, newest first.
///
/// # Errors
/// If the database fails.
pub async fn page(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    before: Option<i32>,
    limit: i64,
) -> sqlx::Result<Vec<ScoringRow>> {
    sqlx::query_as(
        "select * from scoring_rules
         where edition_id = $1 and ($2::integer is null or version < $2)
         order by version desc
         limit $3",
    )
    .bind(edition.uuid())
    .bind(before)
    .bind(limit)
    .fetch_all(executor)
    .await
}

pub(super) fn apply(patches: &mut Patches, event: &Event, at: Timestamp) {
    let set_by = match event.origin {
        Origin::Set(by) => Some(by),
        Origin::Copied(_) => None,
    };
    let Scoring { version, rules } = &event.scoring;
    let row = json!({
        "edition_id": event.edition, "version": version, "weights": rules.weights().0, "bands": rules.bands(),
        "valid_from": at, "set_by_person_id": set_by,
    });
    patches.set(&SCORING_RULES, row);
}
