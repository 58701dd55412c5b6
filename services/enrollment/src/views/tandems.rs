//! Tandems, as the matching service says: which ones meet, and who was offered to whom.

use eventlog::{Patches, Table};
use identity::{EditionId, PersonId, TandemId};
use serde_json::json;
use sqlx::PgExecutor;
use uuid::Uuid;

static LIVE_TANDEMS: Table = Table { name: "live_tandems", key: "tandem_id", columns: "edition_id" };
static PARTNERS: Table =
    Table { name: "partners", key: "tandem_id", columns: "mentor_person_id, mentee_person_id" };

/// Notes that a tandem of an edition meets.
pub fn begin(patches: &mut Patches, tandem: TandemId, edition: EditionId) {
    patches.set(&LIVE_TANDEMS, json!({ "tandem_id": tandem, "edition_id": edition }));
}

/// Notes that a tandem has ended, if it ever met.
pub fn end(patches: &mut Patches, tandem: TandemId) {
    patches.remove(&LIVE_TANDEMS, json!({ "tandem_id": tandem }));
}

/// How many tandems of an edition meet.
///
/// # Errors
/// If the database fails.
pub async fn live(executor: impl PgExecutor<'_>, edition: EditionId) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from live_tandems where edition_id = $1")
        .bind(edition.uuid())
        .fetch_one(executor)
        .await
}

/// Notes that two people are offered to each other.
pub fn introduce(patches: &mut Patches, tandem: TandemId, mentor: PersonId, mentee: PersonId) {
    let row = json!({ "tandem_id": tandem, "mentor_person_id": mentor, "mentee_person_id": mentee });
    patches.set(&PARTNERS, row);
}

/// Everybody who was ever offered to a person, and the person.
///
/// # Errors
/// If the database fails.
pub async fn acquainted(executor: impl PgExecutor<'_>, person: PersonId) -> sqlx::Result<Vec<PersonId>> {
    let others: Vec<Uuid> = sqlx::query_scalar(
        "select mentee_person_id from partners where mentor_person_id = $1
         union
         select mentor_person_id from partners where mentee_person_id = $1
         union
         select $1",
    )
    .bind(person.uuid())
    .fetch_all(executor)
    .await?;
    Ok(others.into_iter().map(PersonId::from_uuid).collect())
}
