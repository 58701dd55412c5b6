//! The read models: how events change them, and every query of the service.
//!
//! The tables people, editions, applications and obligations are what the service's own events say, `live_tandems` and
//! `partners` what the matching says, `engagements` and `participations` what both say. The others (names, dates of birth,
//! operations, sources and what they said) are kept beside the events and are no part of a replay.

pub mod applications;
pub mod birth_dates;
pub mod directory;
pub mod editions;
pub mod erased;
pub mod obligations;
pub mod operations;
pub mod participations;
pub mod people;
pub mod sources;
pub mod stored_workers;
pub mod sync_batches;
pub mod sync_pending;
pub mod sync_runs;
pub mod sync_trials;
pub mod tandems;
pub mod watch;
pub mod workers;

mod availability;
mod copying;

use eventlog::{Aggregate, BoxError, Corrupt, Patches, Recorded};
use identity::PersonId;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::codec::{Application, Edition, Obligation, Person};
use crate::views::people::Newcomers;

/// The tables that a replay builds anew.
pub const PROJECTIONS: &[&str] = &[
    "people",
    "editions",
    "applications",
    "obligations",
    "live_tandems",
    "partners",
    "engagements",
    "participations",
];

/// The read models of the service's own events.
#[derive(Clone, Copy, Debug)]
pub struct Views;

impl eventlog::Views for Views {
    async fn apply(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        let (mut newcomers, mut patches) = (Newcomers::default(), Patches::default());
        for event in events {
            apply(&mut newcomers, &mut patches, event)?;
        }
        newcomers.write(conn).await?;
        Ok(patches.write(conn).await?)
    }
}

fn apply(newcomers: &mut Newcomers, patches: &mut Patches, event: &Recorded) -> Result<(), Corrupt> {
    let (version, at) = (event.version, event.recorded_at);
    match event.stream.kind.as_str() {
        Person::KIND => people::apply(newcomers, patches, &Person::decode(event)?, version),
        Edition::KIND => editions::apply(patches, &Edition::decode(event)?, version),
        Application::KIND => applications::apply(patches, &Application::decode(event)?, version, at),
        Obligation::KIND => obligations::apply(patches, &Obligation::decode(event)?, version),
        // A replay shows the events of all services.
        _ => {}
    }
    Ok(())
}

/// A column that holds the name of one of a few values.
fn named<T: Copy>(
    row: &PgRow,
    column: &str,
    values: &[T],
    name: fn(T) -> &'static str,
) -> sqlx::Result<Option<T>> {
    let Some(text) = row.try_get::<Option<String>, _>(column)? else { return Ok(None) };
    let found = values.iter().copied().find(|value| name(*value) == text);
    found.map(Some).ok_or_else(|| unreadable(column, format!("{text} is not known")))
}

/// A column of people.
fn persons(row: &PgRow, column: &str) -> sqlx::Result<Vec<PersonId>> {
    let ids: Vec<Uuid> = row.try_get(column)?;
    Ok(ids.into_iter().map(PersonId::from_uuid).collect())
}

/// People as a column.
fn uuids(people: &[PersonId]) -> Vec<Uuid> {
    people.iter().map(|person| person.uuid()).collect()
}

fn unreadable(column: &str, reason: impl Into<BoxError>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: reason.into() }
}
