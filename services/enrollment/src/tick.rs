//! What is due by the clock: reminders of obligations that nobody acknowledged, last working days, dates of birth.

use eventlog::{BoxError, Context, Journal};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use sqlx::PgPool;

use crate::codec::{Obligation, Person};
use crate::domain::obligation::{Command, ESCALATION_MAX};
use crate::domain::person;
use crate::react::settled;
use crate::views::{Views, birth_dates, obligations, people};

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
        settled(
            journal.execute::<Obligation>(&context, obligation.uuid(), Command::Escalate { today }).await,
        )?;
    }
    Ok(())
}

/// Lets those go whose last working day was announced and has come.
pub(crate) async fn let_go(pool: &PgPool, journal: &Journal<Views>, now: Timestamp) -> Result<(), BoxError> {
    let context = Context { now, actor: None, idempotency: None, expected_version: None };
    let today = now.in_tz("UTC")?.date();
    for (person, last_day) in people::leaving(pool, today).await? {
        let leave = person::Command::Leave { last_day };
        settled(journal.execute::<Person>(&context, person.uuid(), leave).await)?;
    }
    Ok(())
}

/// Forgets the dates of birth that no rule needs any more.
pub(crate) async fn forget_births(pool: &PgPool, now: Timestamp) -> Result<(), BoxError> {
    let mut conn = pool.acquire().await?;
    Ok(birth_dates::drop_unneeded(&mut conn, now).await?)
}
