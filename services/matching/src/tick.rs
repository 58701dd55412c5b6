//! What is due by the clock: offers that nobody answered in time.

use std::error::Error;

use eventlog::{BoxError, Context, Journal};
use jiff::Timestamp;
use sqlx::PgPool;

use crate::codec::Tandem;
use crate::domain::tandem::{Action, Command};
use crate::views::{Views, tandems};

/// Ends the offers whose time to answer is over by now; they hold no places yet. One that fails is tried again at the next turn, and
/// keeps none of the others.
pub(crate) async fn lapse(pool: &PgPool, journal: &Journal<Views>, now: Timestamp) -> Result<(), BoxError> {
    let context = Context { now, actor: None, idempotency: None, expected_version: None };
    for tandem in tandems::overdue(pool, now).await? {
        let command = Command { key: tandem.key, action: Action::Lapse { now } };
        if let Err(error) = journal.execute::<Tandem>(&context, tandem.key.tandem.uuid(), command).await {
            let error = &error as &dyn Error;
            tracing::warn!(tandem = %tandem.key.tandem, error, "an offer did not lapse; it is tried again");
        }
    }
    Ok(())
}
