//! What is due by the clock: reminders of obligations that nobody acknowledged.

use eventlog::{BoxError, Context, Journal};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use sqlx::PgPool;

use crate::codec::Obligation;
use crate::domain::obligation::{Command, ESCALATION_MAX};
use crate::views::{Views, obligations};

/// Takes the reminders that are due by now.
pub(crate) async fn escalate(
    pool: &PgPool,
    journal: &Journal<Views>,
    now: Timestamp,
) -> Result<(), BoxError> {
    let context = Context { now, actor: None, idempotency: None, expected_version: None };
    // A day later than in Greenwich it is nowhere: the zone of each edition decides among what is found.
    let tomorrow: Date = now.in_tz("UTC")?.date().saturating_add(1.day());
    for (obligation, zone) in obligations::overdue(pool, tomorrow, ESCALATION_MAX).await? {
        let today = now.in_tz(&zone)?.date();
        journal.execute::<Obligation>(&context, obligation.uuid(), Command::Escalate { today }).await?;
    }
    Ok(())
}
