//! What happens elsewhere and matters here: a tandem that met to the end fulfils its executive's obligation.

use boot::Clock;
use eventlog::{BoxError, CommandError, Context, Follower, Journal, Recorded};
use identity::{EditionId, PersonId};
use proto::matching::TandemCompleted;
use sqlx::PgConnection;

use crate::codec::Obligation;
use crate::domain::obligation::{Command, Key};
use crate::views::Views;

/// Follows the events of the matching.
pub struct Reactions {
    pub(crate) journal: Journal<Views>,
    pub(crate) clock: Clock,
}

impl Follower for Reactions {
    fn name(&self) -> &'static str {
        "enrollment"
    }

    async fn project(&self, _: &mut PgConnection, _: &Recorded) -> Result<(), BoxError> {
        Ok(())
    }

    async fn react(&self, conn: &mut PgConnection, event: &Recorded) -> Result<(), BoxError> {
        if !event.is::<TandemCompleted>() {
            return Ok(());
        }
        let tandem: TandemCompleted = event.read()?;
        let edition: EditionId = tandem.edition_id.parse()?;
        let mentee: PersonId = tandem.mentee_person_id.parse()?;
        let context =
            Context { now: self.clock.now(), actor: None, idempotency: None, expected_version: None };
        let obligation = Key::of(edition, mentee).obligation.uuid();
        let mut unit = self.journal.unit(conn, &context);
        match unit.execute::<Obligation>(obligation, Command::Fulfil).await {
            // Whoever was excused meanwhile, or never obliged, has nothing to fulfil.
            Ok(_) | Err(CommandError::Rejected(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
