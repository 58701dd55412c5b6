//! The rules and phases of editions, as the enrollment service says.

use eventlog::{Patches, Table};
use identity::EditionId;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, Row};
use workdays::{UnknownRegion, WorkingDays};

use super::named;
use crate::domain::Phase;
use crate::domain::inputs::Rules;
use crate::domain::repair::Policy;

/// What a day's last moment lies before the next day.
const MOMENT: SignedDuration = SignedDuration::from_secs(1);

static EDITIONS: Table = Table {
    name: "editions",
    key: "edition_id",
    columns: "phase, start_date, months, session_minutes, chain_levels, other_department, mentor_capacity_max, \
              answer_working_days, time_zone, region, repair_moves_max",
};

/// An edition as it stands.
#[derive(Clone, Debug)]
pub struct EditionRow {
    /// The edition.
    pub edition: EditionId,
    /// Where it is.
    pub phase: Phase,
    /// What matters here of its settings.
    pub settings: Settings,
}

/// What matters here of an edition's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The first day of the first month of meetings.
    pub start_date: Date,
    /// Who may be paired.
    pub rules: Rules,
    /// Mentees a mentor may have.
    pub mentor_capacity_max: i32,
    /// Working days to answer.
    pub answer_working_days: i32,
    /// The zone in which days begin, by the IANA time zone database.
    pub time_zone: String,
    /// The days on which people work.
    pub working_days: WorkingDays,
    /// What follows when somebody is left without a tandem.
    pub repair: Policy,
}

impl Settings {
    /// The day it is where the edition is.
    #[must_use]
    pub fn today(&self, now: Timestamp) -> Date {
        zone(&self.time_zone).unwrap_or(TimeZone::UTC).to_datetime(now).date()
    }

    /// The end of the time to answer to what is offered now.
    #[must_use]
    pub fn answer_by(&self, now: Timestamp) -> Timestamp {
        let zone = zone(&self.time_zone).unwrap_or(TimeZone::UTC);
        self.working_days.end_after(now, self.answer_working_days, &zone)
    }
}

impl Settings {
    /// A time to answer that is put off once: by as many working days as there were.
    #[must_use]
    pub fn put_off(&self, answer_by: Timestamp) -> Timestamp {
        self.answer_by(answer_by - MOMENT)
    }

    /// The last day to answer: the time ends where the next begins.
    #[must_use]
    pub fn last_day(&self, answer_by: Timestamp) -> Date {
        self.today(answer_by - MOMENT)
    }
}

/// None if this machine does not know the zone.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

impl FromRow<'_, PgRow> for EditionRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            edition: EditionId::from_uuid(row.try_get("edition_id")?),
            phase: named(row, "phase", &Phase::ALL, Phase::name)?,
            settings: Settings {
                start_date: row.try_get::<jiff_sqlx::Date, _>("start_date")?.to_jiff(),
                rules: Rules {
                    chain_levels: row.try_get("chain_levels")?,
                    other_department: row.try_get("other_department")?,
                    session_minutes: row.try_get("session_minutes")?,
                    months: row.try_get("months")?,
                },
                mentor_capacity_max: row.try_get("mentor_capacity_max")?,
                answer_working_days: row.try_get("answer_working_days")?,
                time_zone: row.try_get("time_zone")?,
                working_days: working_days(row)?,
                repair: repair(row)?,
            },
        })
    }
}

fn working_days(row: &PgRow) -> sqlx::Result<WorkingDays> {
    let region: String = row.try_get("region")?;
    let unreadable = |unknown: UnknownRegion| sqlx::Error::ColumnDecode {
        index: "region".to_owned(),
        source: unknown.into(),
    };
    region.parse().map_err(unreadable)
}

/// A repair by hand is stored as having no number of moves.
fn repair(row: &PgRow) -> sqlx::Result<Policy> {
    let moves_max: Option<i32> = row.try_get("repair_moves_max")?;
    Ok(moves_max.map_or(Policy::ByHand, |moves_max| Policy::AtOnce { moves_max }))
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

/// One edition, in which nobody else forms tandems until the transaction ends.
///
/// # Errors
/// If the database fails.
pub async fn hold(conn: &mut PgConnection, edition: EditionId) -> sqlx::Result<Option<EditionRow>> {
    sqlx::query_as("select * from editions where edition_id = $1 for update")
        .bind(edition.uuid())
        .fetch_optional(conn)
        .await
}

/// Keeps everybody from forming tandems in any edition until the transaction ends.
///
/// # Errors
/// If the database fails.
pub async fn hold_all(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("select from editions order by edition_id for update").execute(conn).await.map(drop)
}

/// Notes the settings of an edition.
pub fn set(patches: &mut Patches, edition: EditionId, settings: &Settings) {
    let Settings {
        start_date,
        rules,
        mentor_capacity_max,
        answer_working_days,
        time_zone,
        working_days,
        repair,
    } = settings;
    let repair_moves_max = match repair {
        Policy::ByHand => None,
        Policy::AtOnce { moves_max } => Some(moves_max),
    };
    let row = json!({
        "edition_id": edition, "start_date": start_date, "months": rules.months,
        "session_minutes": rules.session_minutes, "chain_levels": rules.chain_levels,
        "other_department": rules.other_department, "mentor_capacity_max": mentor_capacity_max,
        "answer_working_days": answer_working_days, "time_zone": time_zone, "region": working_days.to_string(),
        "repair_moves_max": repair_moves_max,
    });
    patches.set(&EDITIONS, row);
}

/// Notes where an edition is.
pub fn set_phase(patches: &mut Patches, edition: EditionId, phase: Phase) {
    patches.change(&EDITIONS, json!({ "edition_id": edition, "phase": phase.name() }));
}
