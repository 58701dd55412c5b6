//! What happens elsewhere and matters to tandems: people leave, move, withdraw and are excused, and editions end.

use boot::Clock;
use eventlog::{BoxError, Context, Follower, Journal, Recorded};
use identity::{EditionId, PersonId};
use proto::enrollment as told;
use sqlx::PgConnection;

use crate::answer;
use crate::domain::Side;
use crate::domain::tandem::{Action, Command, Key};
use crate::follow;
use crate::views::{Views, editions, inputs, tandems};

/// The most levels that an edition can keep apart: who stands further below is not concerned by a move.
const CHAIN_LEVELS_MAX: i32 = 10;

/// Follows the events of the enrollment.
pub struct Reactions {
    pub(crate) journal: Journal<Views>,
    pub(crate) clock: Clock,
}

impl Follower for Reactions {
    fn name(&self) -> &'static str {
        "matching"
    }

    async fn project(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        for event in events {
            follow::project(conn, event).await?;
        }
        Ok(())
    }

    fn reacts_to(&self, event: &Recorded) -> bool {
        event.is::<told::PersonLeft>()
            || event.is::<told::PersonMoved>()
            || event.is::<told::ApplicationWithdrawn>()
            || event.is::<told::ObligationExcused>()
            || event.is::<told::EditionCompleted>()
    }

    async fn react(&self, conn: &mut PgConnection, event: &Recorded) -> Result<(), BoxError> {
        let commands = if event.is::<told::PersonLeft>() {
            let it: told::PersonLeft = event.read()?;
            leave(conn, it.person_id.parse()?).await?
        } else if event.is::<told::PersonMoved>() {
            let it: told::PersonMoved = event.read()?;
            flag(conn, it.person_id.parse()?).await?
        } else if event.is::<told::ApplicationWithdrawn>() {
            let it: told::ApplicationWithdrawn = event.read()?;
            let mentor = (it.person_id.parse()?, Side::Mentor);
            step_back(conn, it.edition_id.parse()?, mentor, &Action::WithdrawMentor).await?
        } else if event.is::<told::ObligationExcused>() {
            let it: told::ObligationExcused = event.read()?;
            let mentee = (it.person_id.parse()?, Side::Mentee);
            step_back(conn, it.edition_id.parse()?, mentee, &Action::ExcuseMentee).await?
        } else if event.is::<told::EditionCompleted>() {
            let it: told::EditionCompleted = event.read()?;
            complete(conn, it.edition_id.parse()?).await?
        } else {
            return Ok(());
        };
        let context =
            Context { now: self.clock.now(), actor: None, idempotency: None, expected_version: None };
        let mut unit = self.journal.unit(conn, &context);
        for (key, action) in commands {
            answer::carry_out(&mut unit, Command { key, action }).await?;
        }
        Ok(())
    }
}

type Commands = Vec<(Key, Action)>;

// Whoever forms tandems holds the edition: what was formed before this transaction is seen here, and what is formed after it
// sees that somebody is gone.

async fn leave(conn: &mut PgConnection, person: PersonId) -> sqlx::Result<Commands> {
    editions::hold_all(conn).await?;
    let live = tandems::live_of(conn, person).await?;
    Ok(live.into_iter().map(|(tandem, side)| (tandem.key, Action::Leave(side))).collect())
}

/// What follows for the live tandems in which somebody who takes no part any more stands on this side.
async fn step_back(
    conn: &mut PgConnection,
    edition: EditionId,
    (person, side): (PersonId, Side),
    action: &Action,
) -> sqlx::Result<Commands> {
    editions::hold(conn, edition).await?;
    let live = tandems::live_of(conn, person).await?;
    let own = live.into_iter().filter(|(tandem, stands)| tandem.key.edition == edition && *stands == side);
    Ok(own.map(|(tandem, _)| (tandem.key, action.clone())).collect())
}

async fn complete(conn: &mut PgConnection, edition: EditionId) -> sqlx::Result<Commands> {
    editions::hold(conn, edition).await?;
    let live = tandems::live_in(conn, edition).await?;
    Ok(live.into_iter().map(|tandem| (tandem.key, Action::Complete)).collect())
}

async fn flag(conn: &mut PgConnection, moved: PersonId) -> sqlx::Result<Commands> {
    let mut commands = Vec::new();
    for tandem in tandems::below(&mut *conn, moved, CHAIN_LEVELS_MAX).await? {
        let Some(edition) = editions::find(&mut *conn, tandem.key.edition).await? else { continue };
        if inputs::breaks_organisation(conn, &edition.settings.rules, tandem.pair).await? {
            commands.push((tandem.key, Action::Flag));
        }
    }
    Ok(commands)
}
