//! Series.

use std::collections::BTreeSet;

use eventlog::{Patches, Table};
use identity::{EditionId, PersonId, TandemId};
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgExecutor, Row};
use uuid::Uuid;

use crate::domain::Side;
use crate::domain::series::{Event, Plan};
use crate::domain::zone_name;

static SERIES: Table = Table {
    name: "series",
    key: "tandem_id",
    columns: "edition_id, mentor_person_id, mentee_person_id, time_zone, mentor_accepted, mentee_accepted, \
              office_alerted, ended, version",
};

/// A series as it stands.
#[derive(Clone, Debug)]
pub struct SeriesRow {
    /// The tandem.
    pub tandem: TandemId,
    /// Its edition.
    pub edition: EditionId,
    /// Who teaches.
    pub mentor: PersonId,
    /// Who learns.
    pub mentee: PersonId,
    /// Who accepted the charter.
    pub charter: BTreeSet<Side>,
    /// Whether two cancellations in a row reached the office.
    pub office_alerted: bool,
    /// Whether nothing more will happen.
    pub ended: bool,
    /// Its version.
    pub version: i64,
}

impl SeriesRow {
    /// Mentor and mentee.
    #[must_use]
    pub fn parties(&self) -> [PersonId; 2] {
        [self.mentor, self.mentee]
    }

    /// The side of a person, if the person is one of the two.
    #[must_use]
    pub fn side_of(&self, person: PersonId) -> Option<Side> {
        if person == self.mentor {
            Some(Side::Mentor)
        } else if person == self.mentee {
            Some(Side::Mentee)
        } else {
            None
        }
    }
}

impl FromRow<'_, PgRow> for SeriesRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let mut charter = BTreeSet::new();
        for (column, side) in [("mentor_accepted", Side::Mentor), ("mentee_accepted", Side::Mentee)] {
            if row.try_get(column)? {
                charter.insert(side);
            }
        }
        Ok(Self {
            tandem: TandemId::from_uuid(row.try_get("tandem_id")?),
            edition: EditionId::from_uuid(row.try_get("edition_id")?),
            mentor: PersonId::from_uuid(row.try_get("mentor_person_id")?),
            mentee: PersonId::from_uuid(row.try_get("mentee_person_id")?),
            charter,
            office_alerted: row.try_get("office_alerted")?,
            ended: row.try_get("ended")?,
            version: row.try_get("version")?,
        })
    }
}

/// One series.
///
/// # Errors
/// If the database fails.
pub async fn find(executor: impl PgExecutor<'_>, tandem: TandemId) -> sqlx::Result<Option<SeriesRow>> {
    sqlx::query_as("select * from series where tandem_id = $1")
        .bind(tandem.uuid())
        .fetch_optional(executor)
        .await
}

/// The tandems of an edition whose series goes on.
///
/// # Errors
/// If the database fails.
pub async fn running(executor: impl PgExecutor<'_>, edition: EditionId) -> sqlx::Result<Vec<TandemId>> {
    let tandems: Vec<Uuid> = sqlx::query_scalar(
        "select tandem_id from series where edition_id = $1 and not ended order by tandem_id",
    )
    .bind(edition.uuid())
    .fetch_all(executor)
    .await?;
    Ok(tandems.into_iter().map(TandemId::from_uuid).collect())
}

/// Every tandem that a person ever was in.
///
/// # Errors
/// If the database fails.
pub async fn of_person(executor: impl PgExecutor<'_>, person: PersonId) -> sqlx::Result<Vec<TandemId>> {
    let tandems: Vec<Uuid> = sqlx::query_scalar(
        "select tandem_id from series where $1 in (mentor_person_id, mentee_person_id) order by tandem_id",
    )
    .bind(person.uuid())
    .fetch_all(executor)
    .await?;
    Ok(tandems.into_iter().map(TandemId::from_uuid).collect())
}

pub(super) fn begin(patches: &mut Patches, event: &Event, plan: &Plan) {
    let row = json!({
        "tandem_id": event.tandem, "edition_id": event.edition, "mentor_person_id": plan.mentor,
        "mentee_person_id": plan.mentee, "time_zone": zone_name(&plan.time_zone), "mentor_accepted": false,
        "mentee_accepted": false, "office_alerted": false, "ended": false,
    });
    patches.set(&SERIES, row);
}

pub(super) fn accept(patches: &mut Patches, tandem: TandemId, side: Side) {
    match side {
        Side::Mentor => patches.change(&SERIES, json!({ "tandem_id": tandem, "mentor_accepted": true })),
        Side::Mentee => patches.change(&SERIES, json!({ "tandem_id": tandem, "mentee_accepted": true })),
    }
}

pub(super) fn alert(patches: &mut Patches, tandem: TandemId) {
    patches.change(&SERIES, json!({ "tandem_id": tandem, "office_alerted": true }));
}

pub(super) fn end(patches: &mut Patches, tandem: TandemId) {
    patches.change(&SERIES, json!({ "tandem_id": tandem, "ended": true }));
}

pub(super) fn advance(patches: &mut Patches, tandem: TandemId, version: i64) {
    patches.change(&SERIES, json!({ "tandem_id": tandem, "version": version }));
}
