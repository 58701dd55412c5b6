//! Who is obliged, from the events of the enrollment.

use eventlog::{Patches, Table};
use identity::{EditionId, PersonId};
use serde_json::json;
use sqlx::PgExecutor;
use uuid::Uuid;

static OBLIGATIONS: Table = Table { name: "obligations", key: "edition_id, person_id", columns: "" };

/// The executives of an edition who are obliged and not excused.
///
/// # Errors
/// If the database fails.
pub async fn obliged(executor: impl PgExecutor<'_>, edition: EditionId) -> sqlx::Result<Vec<PersonId>> {
    let people: Vec<Uuid> =
        sqlx::query_scalar("select person_id from obligations where edition_id = $1 order by person_id")
            .bind(edition.uuid())
            .fetch_all(executor)
            .await?;
    Ok(people.into_iter().map(PersonId::from_uuid).collect())
}

pub(crate) fn raise(patches: &mut Patches, edition: EditionId, person: PersonId) {
    patches.set(&OBLIGATIONS, json!({ "edition_id": edition, "person_id": person }));
}

pub(crate) fn excuse(patches: &mut Patches, edition: EditionId, person: PersonId) {
    patches.remove(&OBLIGATIONS, json!({ "edition_id": edition, "person_id": person }));
}
