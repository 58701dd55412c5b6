//! The read models: how events change them, and every query of the service.
//!
//! The tables series, sessions, questions, actions and follow-ups are fed by the service's own events; editions,
//! availabilities and obligations by those of others.

pub mod availabilities;
pub mod content;
pub mod editions;
pub mod follow_ups;
pub mod obligations;
pub mod series;
pub mod sessions;

use eventlog::{Aggregate, BoxError, Recorded};
use jiff::tz::TimeZone;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use crate::codec::{FollowUp, Series};
use crate::domain::series::{Change, Event};

/// The tables that a replay builds anew.
pub const PROJECTIONS: &[&str] = &[
    "series",
    "sessions",
    "questions",
    "actions",
    "follow_ups",
    "editions",
    "availabilities",
    "obligations",
];

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
        Series::KIND => apply_series(conn, event, &Series::decode(event)?).await?,
        FollowUp::KIND => follow_ups::apply(conn, &FollowUp::decode(event)?).await?,
        // A replay shows the events of all services.
        _ => {}
    }
    Ok(())
}

async fn apply_series(conn: &mut PgConnection, recorded: &Recorded, event: &Event) -> sqlx::Result<()> {
    let tandem = event.tandem;
    match &event.change {
        Change::Planned(plan) => {
            series::begin(&mut *conn, event, plan).await?;
            sessions::plan(&mut *conn, tandem, &plan.sessions).await?;
        }
        Change::CharterAccepted(side) => series::accept(&mut *conn, tandem, *side).await?,
        Change::Session(occasion, outcome) => sessions::turn_out(&mut *conn, *occasion, *outcome).await?,
        Change::OfficeAlerted(_) => series::alert(&mut *conn, tandem).await?,
        Change::QuestionAsked(question) => content::ask(&mut *conn, tandem, recorded, question).await?,
        Change::QuestionAnswered(question, session) => {
            content::answer(&mut *conn, *question, *session).await?;
        }
        Change::ActionAgreed(action) => content::agree(&mut *conn, tandem, recorded, action).await?,
        Change::ActionCompleted(action) => content::complete(&mut *conn, *action).await?,
        // What a side says of a meeting is for the reports alone, which count it from the event.
        Change::PulseAnswered(..) => {}
        Change::Ended(_, at) => {
            series::end(&mut *conn, tandem).await?;
            sessions::drop_later(&mut *conn, tandem, *at).await?;
        }
    }
    series::advance(conn, tandem, recorded.version).await
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

fn time_zone(row: &PgRow, column: &str) -> sqlx::Result<TimeZone> {
    let name: String = row.try_get(column)?;
    TimeZone::get(&name).map_err(|error| unreadable(column, error))
}

fn unreadable(column: &str, reason: impl Into<BoxError>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: reason.into() }
}
