//! What happens elsewhere and matters to tandems: people leave, move, withdraw and are excused, and editions end. What the end or
//! the beginning of a tandem means for others. And every occasion on which somebody who waits may get an offer.

use std::collections::{BTreeMap, BTreeSet};

use boot::Clock;
use eventlog::{Aggregate, BoxError, Context, Follower, Journal, Patches, Recorded, Unit};
use identity::{EditionId, PersonId};
use proto::{enrollment as told, matching as ours};
use sqlx::PgConnection;

use crate::codec::{Document, Tandem};
use crate::domain::document::{self, Origin};
use crate::domain::tandem::{Action, Change, Command, Event, Key};
use crate::domain::{Phase, Side, pairing};
use crate::mend::{self, Turn};
use crate::views::{Views, editions, people, scoring, tandems};
use crate::{answer, follow};

/// The most levels that an edition can keep apart: who stands further below is not concerned by a move.
const CHAIN_LEVELS_MAX: i32 = 10;

/// Follows the events of the enrollment, and of tandems.
pub struct Reactions {
    pub(crate) journal: Journal<Views>,
    pub(crate) clock: Clock,
    pub(crate) pairs_at_once: usize,
}

impl Follower for Reactions {
    fn name(&self) -> &'static str {
        "matching"
    }

    async fn project(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        let mut patches = Patches::default();
        for event in events {
            follow::note(&mut patches, event)?;
        }
        Ok(patches.write(conn).await?)
    }

    fn reacts_to(&self, event: &Recorded) -> bool {
        is_news_of_people(event)
            || event.is::<told::EditionCreated>()
            || event.is::<told::EditionCompleted>()
            || event.is::<told::ApplicationWithdrawn>()
            || event.is::<told::ApplicationAccepted>()
            || event.is::<told::ObligationAcknowledged>()
            || event.is::<told::ObligationExcused>()
            || event.is::<ours::TandemVetoed>()
            || event.is::<ours::TandemDeclined>()
            || event.is::<ours::TandemExpired>()
            || event.is::<ours::TandemDissolved>()
            || event.is::<ours::TandemActivated>()
    }

    async fn react(&self, conn: &mut PgConnection, event: &Recorded) -> Result<(), BoxError> {
        if is_news_of_people(event) {
            return self.react_together(conn, &[event]).await;
        }
        if event.is::<told::EditionCreated>() {
            let it: told::EditionCreated = event.read()?;
            return self.copy_scoring(conn, &it.edition_id, &it.copied_from_edition_id).await;
        }
        let commands = consequences(conn, event).await?;
        let turn = self.turn();
        let mut unit = self.journal.unit(conn, &self.context());
        carry_out(&mut unit, commands).await?;
        if event.stream.kind == Tandem::KIND {
            mend_after(&mut unit, &Tandem::decode(event)?, turn).await
        } else if event.is::<told::ApplicationAccepted>() {
            let it: told::ApplicationAccepted = event.read()?;
            mend::after_news(&mut unit, Some(it.edition_id.parse()?), &[], turn).await
        } else if event.is::<told::ObligationAcknowledged>() {
            let it: told::ObligationAcknowledged = event.read()?;
            mend::after_news(&mut unit, Some(it.edition_id.parse()?), &[it.person_id.parse()?], turn).await
        } else {
            Ok(())
        }
    }

    /// Whoever leaves, moves, or goes on leave at once is looked at at once, however many they are.
    fn is_answered_with(&self, event: &Recorded, next: &Recorded) -> bool {
        is_news_of_people(event) && event.name == next.name
    }

    async fn react_together(&self, conn: &mut PgConnection, events: &[&Recorded]) -> Result<(), BoxError> {
        let (mut leavers, mut movers, mut back) = (Vec::new(), Vec::new(), Vec::new());
        for event in events {
            if event.is::<told::PersonLeft>() {
                leavers.push(event.read::<told::PersonLeft>()?.person_id.parse()?);
            } else if event.is::<told::PersonMoved>() {
                movers.push(event.read::<told::PersonMoved>()?.person_id.parse()?);
            } else if event.is::<told::PersonReturned>() {
                back.push(event.read::<told::PersonReturned>()?.person_id.parse()?);
            }
        }
        let mut commands = if leavers.is_empty() { Vec::new() } else { leave(conn, &leavers).await? };
        commands.extend(if movers.is_empty() { Vec::new() } else { examine(conn, &movers).await? });
        let mut unit = self.journal.unit(conn, &self.context());
        carry_out(&mut unit, commands).await?;
        mend::after_news(&mut unit, None, &back, self.turn()).await
    }
}

/// Whether it says where people stand, and who is there: they may be paired with others from now on, in any edition.
fn is_news_of_people(event: &Recorded) -> bool {
    event.is::<told::PersonLeft>()
        || event.is::<told::PersonMoved>()
        || event.is::<told::PersonReturned>()
        || event.is::<told::PersonAbsent>()
        || event.is::<told::PersonAbsenceEnded>()
}

async fn carry_out(unit: &mut Unit<'_, Views>, commands: Commands) -> Result<(), BoxError> {
    for (key, action) in commands {
        answer::carry_out(unit, Command { key, action }).await?;
    }
    Ok(())
}

impl Reactions {
    fn context(&self) -> Context {
        Context { now: self.clock.now(), actor: None, idempotency: None, expected_version: None }
    }

    fn turn(&self) -> Turn {
        Turn { now: self.clock.now(), pairs_at_once: self.pairs_at_once }
    }

    /// An edition that is copied begins with the scoring rules of the other.
    async fn copy_scoring(&self, conn: &mut PgConnection, edition: &str, from: &str) -> Result<(), BoxError> {
        if from.is_empty() {
            return Ok(());
        }
        let (edition, from): (EditionId, EditionId) = (edition.parse()?, from.parse()?);
        let Some(row) = scoring::latest(&mut *conn, from).await? else { return Ok(()) };
        let (phase, rules, origin) = (Phase::Draft, row.scoring.rules, Origin::Copied(from));
        let command = document::Command { edition, phase, rules, origin };
        self.journal.unit(conn, &self.context()).execute::<Document>(edition.uuid(), command).await?;
        Ok(())
    }
}

/// What the enrollment's news of an edition mean for tandems.
async fn consequences(conn: &mut PgConnection, event: &Recorded) -> Result<Commands, BoxError> {
    Ok(if event.is::<told::ApplicationWithdrawn>() {
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
        Vec::new()
    })
}

/// What a tandem's own end or beginning means for those around it.
async fn mend_after(unit: &mut Unit<'_, Views>, event: &Event, turn: Turn) -> Result<(), BoxError> {
    match event.change {
        Change::Vetoed(pair)
        | Change::Declined(pair)
        | Change::Expired { pair, .. }
        | Change::Dissolved { pair, .. } => mend::after_end(unit, event.key, pair.mentee, turn).await,
        Change::Activated(pair) => mend::after_activation(unit, event.key.edition, pair, turn).await,
        // What is withdrawn was mended when it was, and who met to the end needs nothing more.
        Change::Withdrawn(..)
        | Change::Completed(_)
        | Change::Published(_)
        | Change::Accepted(_)
        | Change::Asked(_)
        | Change::Flagged
        | Change::Cleared => Ok(()),
    }
}

type Commands = Vec<(Key, Action)>;

// Whoever forms tandems holds the edition: what was formed before this transaction is seen here, and what is formed after it
// sees that somebody is gone.

async fn leave(conn: &mut PgConnection, leavers: &[PersonId]) -> sqlx::Result<Commands> {
    editions::hold_all(conn).await?;
    let live = tandems::live_of(conn, leavers).await?;
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
    let live = tandems::live_of(conn, &[person]).await?;
    let own = live.into_iter().filter(|(tandem, stands)| tandem.key.edition == edition && *stands == side);
    Ok(own.map(|(tandem, _)| (tandem.key, action.clone())).collect())
}

async fn complete(conn: &mut PgConnection, edition: EditionId) -> sqlx::Result<Commands> {
    editions::hold(conn, edition).await?;
    let live = tandems::live_in(conn, edition).await?;
    Ok(live.into_iter().map(|tandem| (tandem.key, Action::Complete)).collect())
}

/// Looks at every tandem that moves can concern: a query for the tandems, one for where their people stand, one per edition.
async fn examine(conn: &mut PgConnection, moved: &[PersonId]) -> sqlx::Result<Commands> {
    editions::hold_all(conn).await?;
    let tandems = tandems::below(&mut *conn, moved, CHAIN_LEVELS_MAX).await?;
    if tandems.is_empty() {
        return Ok(Vec::new());
    }
    let concerned: BTreeSet<PersonId> =
        tandems.iter().flat_map(|tandem| [tandem.pair.mentor, tandem.pair.mentee]).collect();
    let standings = people::standings(&mut *conn, &Vec::from_iter(concerned)).await?;
    let mut rules = BTreeMap::new();
    for edition in tandems.iter().map(|tandem| tandem.key.edition).collect::<BTreeSet<_>>() {
        rules.extend(editions::find(&mut *conn, edition).await?.map(|row| (edition, row.settings.rules)));
    }
    let changed = tandems.into_iter().filter_map(|tandem| {
        let two = (standings.get(&tandem.pair.mentor)?, standings.get(&tandem.pair.mentee)?);
        let rules = rules.get(&tandem.key.edition)?;
        let breaks = pairing::check_organisation(rules, two.0, two.1).is_err();
        (breaks != tandem.flagged).then_some((tandem.key, Action::Examine { breaks }))
    });
    Ok(changed.collect())
}
