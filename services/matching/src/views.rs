//! The read models: how events change them, and every query of the service.
//!
//! The tables `match_runs` and `tandems` follow the service's own events, the others those of the enrollment service.

pub mod editions;
pub mod inputs;
pub mod participants;
pub mod people;
pub mod runs;
pub mod tandems;

use eventlog::{Aggregate, BoxError, Recorded};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use crate::codec::{Run, Tandem};

/// The tables that a replay builds anew.
pub const PROJECTIONS: &[&str] =
    &["match_runs", "tandems", "people", "editions", "applications", "obligations"];

/// The read models of the service's own events.
#[derive(Clone, Copy, Debug)]
pub struct Views;

impl eventlog::Views for Views {
    async fn apply(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        for event in events {
            apply(conn, event).await?;
        }
        Ok(())
    }
}

async fn apply(conn: &mut PgConnection, event: &Recorded) -> Result<(), BoxError> {
    match event.stream.kind.as_str() {
        Run::KIND => runs::apply(conn, &Run::decode(event)?, event.version, event.recorded_at).await?,
        Tandem::KIND => tandems::apply(conn, &Tandem::decode(event)?, event.version).await?,
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
