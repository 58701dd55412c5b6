//! Who takes part, as events of applications, obligations and tandems say.

use std::collections::BTreeSet;

use eventlog::{Patches, Table};
use identity::{EditionId, PersonId};
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row};

use super::{named, unreadable};
use crate::domain::participation::{Engagement, Happening, Kind, Ledger};

static ENGAGEMENTS: Table =
    Table { name: "engagements", key: "engagement_id, person_id", columns: "edition_id, kind" };
static PARTICIPATIONS: Table =
    Table { name: "participations", key: "person_id", columns: "participating, changed_at, position" };

impl FromRow<'_, PgRow> for Engagement {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let kind = named(row, "kind", &Kind::ALL, Kind::name)?;
        Ok(Self {
            person: PersonId::from_uuid(row.try_get("person_id")?),
            id: row.try_get("engagement_id")?,
            edition: EditionId::from_uuid(row.try_get("edition_id")?),
            kind: kind.ok_or_else(|| unreadable("kind", "it is null"))?,
        })
    }
}

/// The engagements of everybody whom this is about.
///
/// # Errors
/// If the database fails.
pub async fn ledger(conn: &mut PgConnection, happenings: &[Happening]) -> sqlx::Result<Ledger> {
    let (mut people, mut ended, mut over) = (Vec::new(), Vec::new(), Vec::new());
    for happening in happenings {
        match happening {
            Happening::Began(engagement) => people.push(engagement.person.uuid()),
            Happening::Ended(id) => ended.push(*id),
            Happening::EditionOver(edition) => over.push(edition.uuid()),
        }
    }
    let alive: Vec<Engagement> = sqlx::query_as(
        "select engagements.* from engagements
         where person_id in (
             select unnest($1::uuid[])
             union
             select person_id from engagements where engagement_id = any ($2)
             union
             select person_id from engagements where edition_id = any ($3) and kind = 'application'
         )",
    )
    .bind(people)
    .bind(ended)
    .bind(over)
    .fetch_all(conn)
    .await?;
    Ok(Ledger::of(BTreeSet::from_iter(alive)))
}

/// Notes what has changed.
pub fn note(patches: &mut Patches, ledger: &Ledger) {
    for ended in ledger.ended() {
        patches.remove(&ENGAGEMENTS, json!({ "engagement_id": ended.id, "person_id": ended.person }));
    }
    for begun in ledger.begun() {
        let Engagement { person, id, edition, kind } = begun;
        let row =
            json!({ "engagement_id": id, "person_id": person, "edition_id": edition, "kind": kind.name() });
        patches.set(&ENGAGEMENTS, row);
    }
    for (person, turn) in ledger.turns() {
        let row = json!({ "person_id": person, "participating": turn.participating, "changed_at": turn.at,
                          "position": turn.position });
        patches.set(&PARTICIPATIONS, row);
    }
}
