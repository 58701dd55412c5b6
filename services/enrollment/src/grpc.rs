//! Requests to commands, rejections to statuses, rows to responses; one file per gRPC service.

mod application;
mod directory;
mod edition;
mod hris;
mod import;
mod obligation;
mod refusal;
mod source;
mod worker;

use boot::{not_found, unavailable};
use eventlog::{Begun, Context};
use identity::{EditionId, Id};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use proto::{Violation, status};
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres};
use tonic::Status;
use uuid::Uuid;

use crate::Enrollment;
use crate::domain::edition::Rejection;
use crate::domain::iso_date;
use crate::views::Views;
use crate::views::editions::{self, EditionRow};

impl Enrollment {
    async fn connection(&self) -> Result<PoolConnection<Postgres>, Status> {
        self.pool.acquire().await.map_err(unavailable)
    }

    /// Begins work on several streams, unless the same command was carried out before.
    async fn begin(&self, context: &Context) -> Result<Begun<Views>, Status> {
        // Beginning knows no rules, so that any kind of rejection will do.
        self.journal.begin(context).await.map_err(|error| boot::refuse::<Rejection>(error.into()))
    }

    /// Seals a text with the key of whomever it is about.
    async fn seal(&self, conn: &mut PgConnection, subject: Uuid, text: &[u8]) -> Result<Vec<u8>, Status> {
        self.vault.seal(conn, subject, text).await.map_err(unavailable)
    }

    /// Opens a sealed text; empty if there is none, or its key was forgotten.
    async fn open(
        &self,
        conn: &mut PgConnection,
        subject: Uuid,
        sealed: Option<&[u8]>,
    ) -> Result<String, Status> {
        let Some(sealed) = sealed else { return Ok(String::new()) };
        let text = self.vault.open(conn, subject, sealed).await.map_err(unavailable)?;
        String::from_utf8(text.unwrap_or_default()).map_err(unavailable)
    }
}

/// The edition that a command names, which stays as it is until the transaction ends.
async fn hold_edition(conn: &mut PgConnection, edition: EditionId) -> Result<EditionRow, Status> {
    editions::hold(conn, edition).await.map_err(unavailable)?.ok_or_else(|| not_found("edition"))
}

fn id<K>(field: &str, text: &str) -> Result<Id<K>, Status> {
    text.parse().map_err(|_| violation(field, "UUID", "must be a UUID"))
}

fn ids<K>(field: &str, texts: &[String]) -> Result<Vec<Id<K>>, Status> {
    texts.iter().map(|text| id(field, text)).collect()
}

fn date(field: &str, text: &str) -> Result<Date, Status> {
    iso_date(text).ok_or_else(|| violation(field, "DATE", "must be a day of the calendar, as 2013-09-01"))
}

fn check_zone(field: &str, name: &str) -> Result<(), Status> {
    let rule = "must be a zone of the IANA time zone database, as Europe/Berlin";
    TimeZone::get(name).map(drop).map_err(|_| violation(field, "TIME_ZONE", rule))
}

/// The day it is in the zone of an edition.
fn today(now: Timestamp, zone: &str) -> Result<Date, Status> {
    Ok(now.in_tz(zone).map_err(unavailable)?.date())
}

fn violation(field: &str, code: &'static str, message: &str) -> Status {
    status::invalid(vec![Violation { field: field.to_owned(), code, message: message.to_owned() }])
}
