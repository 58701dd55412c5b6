//! The read models: how events change them, and every query of the service.
//!
//! The tables series, sessions, questions, actions and follow-ups are fed by the service's own events; editions,
//! availabilities and obligations by those of others.

pub mod absences;
pub mod availabilities;
pub mod content;
pub mod editions;
pub mod follow_ups;
pub mod leaves;
pub mod obligations;
pub mod series;
pub mod sessions;

use std::collections::BTreeMap;

use eventlog::{Aggregate, BoxError, Corrupt, Patches, Recorded};
use identity::{SessionId, TandemId};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use crate::codec::{FollowUp, Series};
use crate::domain::series::{Change, Event, Outcome};

/// The tables that a replay builds anew.
pub const PROJECTIONS: &[&str] = &[
    "series",
    "sessions",
    "questions",
    "actions",
    "follow_ups",
    "editions",
    "absences",
    "availabilities",
    "obligations",
];

/// The read models of the service's own events.
#[derive(Clone, Copy, Debug)]
pub struct Views;

impl eventlog::Views for Views {
    async fn apply(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        let mut changes = Changes::default();
        for event in events {
            changes.take(event)?;
        }
        Ok(changes.write(conn).await?)
    }
}

/// What events change in the tables.
#[derive(Default)]
struct Changes {
    patches: Patches,
    /// Where sessions are moved to.
    moved: BTreeMap<SessionId, Timestamp>,
    /// When series end.
    ended: BTreeMap<TandemId, Timestamp>,
}

impl Changes {
    fn take(&mut self, event: &Recorded) -> Result<(), Corrupt> {
        match event.stream.kind.as_str() {
            Series::KIND => self.take_series(event, &Series::decode(event)?),
            FollowUp::KIND => follow_ups::apply(&mut self.patches, &FollowUp::decode(event)?),
            // A replay shows the events of all services.
            _ => {}
        }
        Ok(())
    }

    fn take_series(&mut self, recorded: &Recorded, event: &Event) {
        let Self { patches, moved, ended } = self;
        let tandem = event.tandem;
        match &event.change {
            Change::Planned(plan) => {
                series::begin(patches, event, plan);
                plan.sessions.iter().for_each(|session| sessions::plan(patches, tandem, session));
            }
            Change::CharterAccepted(side) => series::accept(patches, tandem, *side),
            Change::Session(occasion, outcome) => {
                sessions::turn_out(patches, occasion.session, *outcome);
                if let Outcome::Moved(_, start) | Outcome::Resumed(start) = outcome {
                    moved.insert(occasion.session, *start);
                }
            }
            Change::OfficeAlerted(_) => series::alert(patches, tandem),
            Change::QuestionAsked(question) => content::ask(patches, tandem, recorded, question),
            Change::QuestionAnswered(question, session) => content::answer(patches, *question, *session),
            Change::ActionAgreed(action) => content::agree(patches, tandem, recorded, action),
            Change::ActionCompleted(action) => content::complete(patches, *action),
            // What a side says of a meeting is for the reports alone, which count it from the event.
            Change::PulseAnswered(..) => {}
            Change::Ended(_, at) => {
                series::end(patches, tandem);
                ended.insert(tandem, *at);
            }
        }
        series::advance(patches, tandem, recorded.version);
    }

    /// Moves come after the plans; ends come last, as nothing changes any more what was still to come.
    async fn write(mut self, conn: &mut PgConnection) -> sqlx::Result<()> {
        self.patches.write(conn).await?;
        sessions::relocate(conn, &self.moved).await?;
        sessions::drop_later(conn, &self.ended).await
    }
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
