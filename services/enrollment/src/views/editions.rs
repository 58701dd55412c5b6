//! Editions and their rules.

use eventlog::{Patches, Table, bytes};
use identity::{EditionId, PersonId};
use jiff::civil::Date;
use serde_json::{Value, json};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, Row};
use uuid::Uuid;
use workdays::{UnknownRegion, WorkingDays};

use super::{named, persons, unreadable};
use crate::domain::edition::{AgeRule, Change, Event, Phase};
use crate::domain::rules::{EligibilityRule, ObligationRule, PairingRule, RepairRule, Rules};

static EDITIONS: Table = Table {
    name: "editions",
    key: "edition_id",
    columns: "phase, copied_from, reference_date, start_date, months, session_minutes, obliged_max_level, leaders_only, \
              included, excluded, tenure_months_min, level_min, chain_levels, other_department, topics, \
              mentor_capacity_max, answer_working_days, acknowledge_days, anonymity_k, time_zone, repair_by_hand, \
              repair_moves_max, region, sealed_texts, \
              maximum_age, age_owner, age_expiry_date, age_proposed_by, age_sealed_texts, age_released, obliged_count, \
              version",
};

/// An edition as it stands.
#[derive(Clone, Debug)]
pub struct EditionRow {
    /// The edition.
    pub edition: EditionId,
    /// Where it is.
    pub phase: Phase,
    /// The edition it was copied from.
    pub copied_from: Option<EditionId>,
    /// Its rules.
    pub rules: Rules,
    /// Its name and the titles of its topics, sealed with its key.
    pub sealed_texts: Vec<u8>,
    /// The age rule, if one is proposed.
    pub age_rule: Option<AgeRuleRow>,
    /// How many executives are obliged.
    pub obliged_count: i32,
    /// Its version.
    pub version: i64,
}

/// An age rule as it stands.
#[derive(Clone, Debug)]
pub struct AgeRuleRow {
    /// The rule.
    pub rule: AgeRule,
    /// Its reasons, sealed with the edition's key.
    pub sealed_texts: Vec<u8>,
    /// Whether a second person released it.
    pub released: bool,
}

impl EditionRow {
    /// The maximum age that is in force on a day.
    #[must_use]
    pub fn maximum_age(&self, today: Date) -> Option<i32> {
        let in_force = |kept: &&AgeRuleRow| kept.released && kept.rule.expiry_date >= today;
        self.age_rule.as_ref().filter(in_force).map(|kept| kept.rule.maximum_age)
    }
}

impl FromRow<'_, PgRow> for EditionRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let phase = named(row, "phase", &Phase::ALL, Phase::name)?;
        let copied_from: Option<Uuid> = row.try_get("copied_from")?;
        Ok(Self {
            edition: EditionId::from_uuid(row.try_get("edition_id")?),
            phase: phase.ok_or_else(|| unreadable("phase", "it is null"))?,
            copied_from: copied_from.map(EditionId::from_uuid),
            rules: rules(row)?,
            sealed_texts: row.try_get("sealed_texts")?,
            age_rule: age_rule(row)?,
            obliged_count: row.try_get("obliged_count")?,
            version: row.try_get("version")?,
        })
    }
}

fn rules(row: &PgRow) -> sqlx::Result<Rules> {
    Ok(Rules {
        reference_date: row.try_get::<jiff_sqlx::Date, _>("reference_date")?.to_jiff(),
        start_date: row.try_get::<jiff_sqlx::Date, _>("start_date")?.to_jiff(),
        months: row.try_get("months")?,
        session_minutes: row.try_get("session_minutes")?,
        obligation: ObligationRule {
            max_level: row.try_get("obliged_max_level")?,
            leaders_only: row.try_get("leaders_only")?,
            included: persons(row, "included")?,
            excluded: persons(row, "excluded")?,
        },
        eligibility: EligibilityRule {
            tenure_months_min: row.try_get("tenure_months_min")?,
            level_min: row.try_get("level_min")?,
        },
        pairing: PairingRule {
            chain_levels: row.try_get("chain_levels")?,
            other_department: row.try_get("other_department")?,
        },
        repair: RepairRule {
            by_hand: row.try_get("repair_by_hand")?,
            moves_max: row.try_get("repair_moves_max")?,
        },
        topics: row.try_get("topics")?,
        mentor_capacity_max: row.try_get("mentor_capacity_max")?,
        answer_working_days: row.try_get("answer_working_days")?,
        acknowledge_days: row.try_get("acknowledge_days")?,
        anonymity_k: row.try_get("anonymity_k")?,
        time_zone: row.try_get("time_zone")?,
        working_days: working_days(row)?,
    })
}

fn working_days(row: &PgRow) -> sqlx::Result<WorkingDays> {
    let region: String = row.try_get("region")?;
    region.parse().map_err(|unknown: UnknownRegion| unreadable("region", unknown))
}

fn age_rule(row: &PgRow) -> sqlx::Result<Option<AgeRuleRow>> {
    let Some(maximum_age) = row.try_get("maximum_age")? else { return Ok(None) };
    let rule = AgeRule {
        maximum_age,
        owner: PersonId::from_uuid(row.try_get("age_owner")?),
        expiry_date: row.try_get::<jiff_sqlx::Date, _>("age_expiry_date")?.to_jiff(),
        proposed_by: PersonId::from_uuid(row.try_get("age_proposed_by")?),
    };
    let sealed_texts = row.try_get("age_sealed_texts")?;
    Ok(Some(AgeRuleRow { rule, sealed_texts, released: row.try_get("age_released")? }))
}

/// One edition.
///
/// # Errors
/// If the database fails.
pub async fn find(executor: impl PgExecutor<'_>, edition: EditionId) -> sqlx::Result<Option<EditionRow>> {
    sqlx::query_as("select * from editions where edition_id = $1")
        .bind(edition.uuid())
        .fetch_optional(executor)
        .await
}

/// One edition, which stays as it is until the transaction ends.
///
/// Those who only need that can hold it at the same time; who changes it waits for them.
///
/// # Errors
/// If the database fails.
pub async fn hold(conn: &mut PgConnection, edition: EditionId) -> sqlx::Result<Option<EditionRow>> {
    sqlx::query_as("select * from editions where edition_id = $1 for share")
        .bind(edition.uuid())
        .fetch_optional(conn)
        .await
}

/// A page of editions, newest first.
///
/// # Errors
/// If the database fails.
pub async fn page(
    executor: impl PgExecutor<'_>,
    after: Option<EditionId>,
    limit: i64,
) -> sqlx::Result<Vec<EditionRow>> {
    sqlx::query_as(
        "select * from editions
         where $1::uuid is null or edition_id < $1
         order by edition_id desc
         limit $2",
    )
    .bind(after.map(EditionId::uuid))
    .bind(limit)
    .fetch_all(executor)
    .await
}

pub(super) fn apply(patches: &mut Patches, event: &Event, version: i64) {
    let edition = event.edition;
    let mut change = |mut columns: Value| {
        columns["edition_id"] = json!(edition);
        patches.change(&EDITIONS, columns);
    };
    match &event.change {
        Change::Created(created) => {
            let (phase, copied_from) = (Phase::Draft.name(), created.copied_from);
            let row = json!({ "edition_id": edition, "phase": phase, "copied_from": copied_from,
                              "age_released": false, "obliged_count": 0 });
            patches.set(&EDITIONS, row);
            put(patches, edition, &created.rules, &created.sealed_texts);
        }
        Change::Revised(revised) => put(patches, edition, &revised.rules, &revised.sealed_texts),
        Change::AgeRuleProposed(rule, reasons) => change(json!({
            "maximum_age": rule.maximum_age, "age_owner": rule.owner, "age_expiry_date": rule.expiry_date,
            "age_proposed_by": rule.proposed_by, "age_sealed_texts": bytes(reasons), "age_released": false,
        })),
        Change::AgeRuleReleased(_) => change(json!({ "age_released": true })),
        Change::Opened(obliged) => change(json!({ "obliged_count": obliged, "phase": Phase::Open.name() })),
        Change::MatchingStarted => change(json!({ "phase": Phase::Matching.name() })),
        Change::Started => change(json!({ "phase": Phase::Running.name() })),
        Change::Completed => change(json!({ "phase": Phase::Completed.name() })),
        Change::Archived => change(json!({ "phase": Phase::Archived.name() })),
    }
    patches.change(&EDITIONS, json!({ "edition_id": edition, "version": version }));
}

/// The rules of an edition are its own, or replaced.
fn put(patches: &mut Patches, edition: EditionId, rules: &Rules, sealed_texts: &[u8]) {
    let row = json!({
        "edition_id": edition, "reference_date": rules.reference_date, "start_date": rules.start_date,
        "months": rules.months, "session_minutes": rules.session_minutes,
        "obliged_max_level": rules.obligation.max_level, "leaders_only": rules.obligation.leaders_only,
        "included": rules.obligation.included, "excluded": rules.obligation.excluded,
        "tenure_months_min": rules.eligibility.tenure_months_min, "level_min": rules.eligibility.level_min,
        "chain_levels": rules.pairing.chain_levels, "other_department": rules.pairing.other_department,
        "topics": rules.topics, "mentor_capacity_max": rules.mentor_capacity_max,
        "answer_working_days": rules.answer_working_days, "acknowledge_days": rules.acknowledge_days,
        "anonymity_k": rules.anonymity_k, "time_zone": rules.time_zone, "repair_by_hand": rules.repair.by_hand,
        "repair_moves_max": rules.repair.moves_max, "region": rules.working_days.to_string(),
        "sealed_texts": bytes(sealed_texts),
    });
    patches.change(&EDITIONS, row);
}
