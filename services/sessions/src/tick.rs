//! What is due by the clock: follow-ups whose day has come, and sessions that come near while somebody is on leave.

use eventlog::{BoxError, Context, Journal};
use jiff::{Timestamp, ToSpan};
use sqlx::PgPool;

use crate::codec::{FollowUp, Series};
use crate::domain::follow_up::{Act, Command};
use crate::domain::series;
use crate::views::{Views, follow_ups, leaves};

/// Takes the sessions off that come near while the leave of one of their people is open.
pub(crate) async fn pause(pool: &PgPool, journal: &Journal<Views>, now: Timestamp) -> Result<(), BoxError> {
    let context = Context { now, actor: None, idempotency: None, expected_version: None };
    for leaves::Prevented { session, tandem, edition, side } in leaves::prevented(pool, None, now).await? {
        let command = series::Command { tandem, edition, now, act: series::Act::Pause(session, side) };
        journal.execute::<Series>(&context, tandem.uuid(), command).await?;
    }
    Ok(())
}

/// Notices the follow-ups that are due by now.
pub(crate) async fn notice_due(
    pool: &PgPool,
    journal: &Journal<Views>,
    now: Timestamp,
) -> Result<(), BoxError> {
    let context = Context { now, actor: None, idempotency: None, expected_version: None };
    // A day later than in Greenwich it is nowhere: the zone of each edition decides among what is found.
    let tomorrow = now.in_tz("UTC")?.date().saturating_add(1.day());
    for (subject, zone) in follow_ups::to_come(pool, tomorrow).await? {
        let act = Act::Tick(zone.to_datetime(now).date());
        let command = Command { edition: subject.edition, act };
        journal.execute::<FollowUp>(&context, subject.id.uuid(), command).await?;
    }
    Ok(())
}
