//! The read models: how events change them, and every query of the service.
//!
//! The tables `match_runs`, `tandems`, `repairs` and `scoring_rules` follow the service's own events, `frozen_inputs` and `verdicts`
//! are kept beside them, and the others follow the events of the enrollment service.

pub mod editions;
pub mod frozen;
pub mod inputs;
pub mod left_over;
pub mod participants;
pub mod people;
pub mod repairs;
pub mod runs;
pub mod scoring;
pub mod tandems;

use eventlog::{Aggregate, BoxError, Corrupt, Patches, Recorded};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use crate::codec::{Document, Repair, Run, Tandem};

/// The tables that a replay builds anew.
pub const PROJECTIONS: &[&str] = &[
    "match_runs",
    "tandems",
    "repairs",
    "scoring_rules",
    "people",
    "absences",
    "editions",
    "applications",
    "obligations",
];

/// The read models of the service's own events.
#[derive(Clone, Copy, Debug)]
pub struct Views;

impl eventlog::Views for Views {
    async fn apply(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        let mut patches = Patches::default();
        for event in events {
            apply(&mut patches, event)?;
        }
        Ok(patches.write(conn).await?)
    }
}

fn apply(patches: &mut Patches, event: &Recorded) -> Result<(), Corrupt> {
    match event.stream.kind.as_str() {
        Run::KIND => runs::apply(patches, &Run::decode(event)?, event.version, event.recorded_at),
        Tandem::KIND => tandems::apply(patches, &Tandem::decode(event)?, event.version),
        Repair::KIND => repairs::apply(patches, &Repair::decode(event)?, event),
        Document::KIND => scoring::apply(patches, &Document::decode(event)?, event.recorded_at),
        // Places are read from their streams, and a replay shows the events of all services.
        _ => {}
    }
    Ok(())
}

/// A column that holds the name of one of a few values.
fn named<T: Copy>(row: &PgRow, column: &str, values: &[T], name: fn(T) -> &'static str) -> sqlx::Result<T> {
    let text: String = row.try_get(column)?;
    let found = values.iter().copied().find(|value| name(*value) == text);
    found.ok_or_else(|| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: format!("{text} is not known").into(),
    })
}
