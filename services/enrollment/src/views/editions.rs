//! Editions and their rules.

use identity::{EditionId, PersonId};
use jiff_sqlx::ToSqlx;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, Row};
use uuid::Uuid;
use workdays::{UnknownRegion, WorkingDays};

use super::{named, unreadable};
use crate::domain::edition::{AgeRule, Change, Event, Phase};
use crate::domain::rules::{EligibilityRule, ObligationRule, PairingRule, RepairRule, Rules};

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
    /// The maximum age that is in force.
    #[must_use]
    pub fn maximum_age(&self) -> Option<i32> {
        self.age_rule.as_ref().filter(|kept| kept.released).map(|kept| kept.rule.maximum_age)
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
    let people = |column: &str| {
        let uuids: Vec<Uuid> = row.try_get(column)?;
        Ok::<_, sqlx::Error>(uuids.into_iter().map(PersonId::from_uuid).collect())
    };
    Ok(Rules {
        reference_date: row.try_get::<jiff_sqlx::Date, _>("reference_date")?.to_jiff(),
        start_date: row.try_get::<jiff_sqlx::Date, _>("start_date")?.to_jiff(),
        months: row.try_get("months")?,
        session_minutes: row.try_get("session_minutes")?,
        obligation: ObligationRule {
            max_level: row.try_get("obliged_max_level")?,
            leaders_only: row.try_get("leaders_only")?,
            included: people("included")?,
            excluded: people("excluded")?,
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

pub(super) async fn apply(conn: &mut PgConnection, event: &Event, version: i64) -> sqlx::Result<()> {
    let edition = event.edition;
    match &event.change {
        Change::Created(created) => {
            put(&mut *conn, edition, created.copied_from, &created.rules, &created.sealed_texts).await?;
        }
        Change::Revised(revised) => {
            put(&mut *conn, edition, None, &revised.rules, &revised.sealed_texts).await?;
        }
        Change::AgeRuleProposed(rule, reasons) => propose(&mut *conn, edition, rule, reasons).await?,
        Change::AgeRuleReleased(_) => {
            let query = sqlx::query("update editions set age_released = true where edition_id = $1");
            query.bind(edition.uuid()).execute(&mut *conn).await?;
        }
        Change::Opened(obliged) => {
            let query = sqlx::query("update editions set obliged_count = $2 where edition_id = $1");
            query.bind(edition.uuid()).bind(obliged).execute(&mut *conn).await?;
            enter(&mut *conn, edition, Phase::Open).await?;
        }
        Change::MatchingStarted => enter(&mut *conn, edition, Phase::Matching).await?,
        Change::Started => enter(&mut *conn, edition, Phase::Running).await?,
        Change::Completed => enter(&mut *conn, edition, Phase::Completed).await?,
        Change::Archived => enter(&mut *conn, edition, Phase::Archived).await?,
    }
    let query = sqlx::query("update editions set version = $2 where edition_id = $1");
    query.bind(edition.uuid()).bind(version).execute(conn).await.map(drop)
}

/// Drafts an edition, or replaces the rules of a draft.
async fn put(
    conn: &mut PgConnection,
    edition: EditionId,
    copied_from: Option<EditionId>,
    rules: &Rules,
    sealed_texts: &[u8],
) -> sqlx::Result<()> {
    let uuids = |people: &[PersonId]| people.iter().map(|person| person.uuid()).collect::<Vec<_>>();
    sqlx::query(
        "insert into editions
             (edition_id, phase, copied_from, reference_date, start_date, months, session_minutes, obliged_max_level,
              leaders_only, included, excluded, tenure_months_min, level_min, chain_levels, other_department, topics,
              mentor_capacity_max, answer_working_days, acknowledge_days, anonymity_k, time_zone,
              repair_by_hand, repair_moves_max, region, sealed_texts, version)
         values ($1, 'draft', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                 $22, $23, $24, 0)
         on conflict (edition_id) do update
         set reference_date = excluded.reference_date, start_date = excluded.start_date, months = excluded.months,
             session_minutes = excluded.session_minutes, obliged_max_level = excluded.obliged_max_level,
             leaders_only = excluded.leaders_only, included = excluded.included, excluded = excluded.excluded,
             tenure_months_min = excluded.tenure_months_min, level_min = excluded.level_min,
             chain_levels = excluded.chain_levels, other_department = excluded.other_department,
             topics = excluded.topics, mentor_capacity_max = excluded.mentor_capacity_max,
             answer_working_days = excluded.answer_working_days, acknowledge_days = excluded.acknowledge_days,
             anonymity_k = excluded.anonymity_k, time_zone = excluded.time_zone,
             repair_by_hand = excluded.repair_by_hand, repair_moves_max = excluded.repair_moves_max,
             region = excluded.region, sealed_texts = excluded.sealed_texts",
    )
    .bind(edition.uuid())
    .bind(copied_from.map(EditionId::uuid))
    .bind(rules.reference_date.to_sqlx())
    .bind(rules.start_date.to_sqlx())
    .bind(rules.months)
    .bind(rules.session_minutes)
    .bind(rules.obligation.max_level)
    .bind(rules.obligation.leaders_only)
    .bind(uuids(&rules.obligation.included))
    .bind(uuids(&rules.obligation.excluded))
    .bind(rules.eligibility.tenure_months_min)
    .bind(rules.eligibility.level_min)
    .bind(rules.pairing.chain_levels)
    .bind(rules.pairing.other_department)
    .bind(&rules.topics)
    .bind(rules.mentor_capacity_max)
    .bind(rules.answer_working_days)
    .bind(rules.acknowledge_days)
    .bind(rules.anonymity_k)
    .bind(&rules.time_zone)
    .bind(rules.repair.by_hand)
    .bind(rules.repair.moves_max)
    .bind(rules.working_days.to_string())
    .bind(sealed_texts)
    .execute(conn)
    .await
    .map(drop)
}

async fn propose(
    conn: &mut PgConnection,
    edition: EditionId,
    rule: &AgeRule,
    reasons: &[u8],
) -> sqlx::Result<()> {
    sqlx::query(
        "update editions
         set maximum_age = $2, age_owner = $3, age_expiry_date = $4, age_proposed_by = $5, age_sealed_texts = $6,
             age_released = false
         where edition_id = $1",
    )
    .bind(edition.uuid())
    .bind(rule.maximum_age)
    .bind(rule.owner.uuid())
    .bind(rule.expiry_date.to_sqlx())
    .bind(rule.proposed_by.uuid())
    .bind(reasons)
    .execute(conn)
    .await
    .map(drop)
}

async fn enter(conn: &mut PgConnection, edition: EditionId, phase: Phase) -> sqlx::Result<()> {
    sqlx::query("update editions set phase = $2 where edition_id = $1")
        .bind(edition.uuid())
        .bind(phase.name())
        .execute(conn)
        .await
        .map(drop)
}
