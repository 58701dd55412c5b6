//! An executive who is left over gets the next best offer, and an offer that can become no tandem ends.
//!
//! Both happen in the follower's transaction, event by event: whatever ended a tandem or took a place, it is answered here, once,
//! and whoever waits for the answer by its position finds the new offer.

use eventlog::{BoxError, CommandError, Unit};
use identity::{EditionId, PersonId};
use jiff::Timestamp;

use crate::codec::{Repair, Tandem};
use crate::domain::Pair;
use crate::domain::frontier::{Offered, Step};
use crate::domain::repair::{self, Policy};
use crate::domain::tandem::{self, Action, Offer, Withdrawal};
use crate::views::editions::{self, EditionRow};
use crate::views::left_over::{self, LeftOver};
use crate::views::{Views, participants, repairs, runs, tandems};

/// Serves the executive whom the end of a tandem left over, and everybody who has waited longer.
pub(crate) async fn after_end(
    unit: &mut Unit<'_, Views>,
    ended: tandem::Key,
    mentee: PersonId,
    now: Timestamp,
) -> Result<(), BoxError> {
    serve(unit, ended.edition, Some(repair::Key::of(ended, mentee)), now).await
}

/// Serves those who wait, as a mentor more may have a free place.
pub(crate) async fn after_arrival(
    unit: &mut Unit<'_, Views>,
    edition: EditionId,
    now: Timestamp,
) -> Result<(), BoxError> {
    serve(unit, edition, None, now).await
}

/// Ends the offers whose place went to this tandem, and serves whom they leave over.
pub(crate) async fn after_activation(
    unit: &mut Unit<'_, Views>,
    edition: EditionId,
    pair: Pair,
    now: Timestamp,
) -> Result<(), BoxError> {
    let Some(edition) = editions::hold(unit.conn(), edition).await? else { return Ok(()) };
    let mentor = participants::mentors(unit.conn(), edition.edition, Some(pair.mentor)).await?;
    let full = mentor.first().is_none_or(|mentor| mentor.active >= i64::from(mentor.capacity));
    for offer in tandems::offered_to(unit.conn(), edition.edition, pair).await? {
        if offer.pair.mentee != pair.mentee && !full {
            continue;
        }
        let command = tandem::Command { key: offer.key, action: Action::Withdraw(Withdrawal::PlaceTaken) };
        match unit.execute::<Tandem>(offer.key.tandem.uuid(), command).await {
            Ok(_) => {
                let newest = repair::Key::of(offer.key, offer.pair.mentee);
                serve(unit, edition.edition, Some(newest), now).await?;
            }
            // Its end came first, and is an event of its own.
            Err(CommandError::Rejected(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn serve(
    unit: &mut Unit<'_, Views>,
    edition: EditionId,
    newest: Option<repair::Key>,
    now: Timestamp,
) -> Result<(), BoxError> {
    let Some(edition) = editions::hold(unit.conn(), edition).await? else { return Ok(()) };
    let Policy::AtOnce { moves_max } = edition.settings.repair else { return Ok(()) };
    if !edition.phase.forms_tandems() {
        return Ok(());
    }
    let mut keys = repairs::waiting(unit.conn(), edition.edition).await?;
    keys.extend(newest.filter(|newest| !keys.contains(newest)));
    for key in keys {
        mend(unit, &edition, key, moves_max, now).await?;
    }
    Ok(())
}

/// Makes the next best offer to one executive, or lets the executive wait.
async fn mend(
    unit: &mut Unit<'_, Views>,
    edition: &EditionRow,
    key: repair::Key,
    moves_max: i32,
    now: Timestamp,
) -> Result<(), BoxError> {
    let released_by = runs::released_by(unit.conn(), edition.edition).await?;
    let command = loop {
        let today = edition.settings.today(now);
        let found = left_over::find(unit.conn(), edition, key.mentee, today).await?;
        let Some(LeftOver { frontier, silences }) = found else { return Ok(()) };
        let command = repair::Command { key, frontier, moves_max, silences, released_by };
        let Ok(Step { moved: Some(moved), .. }) = command.choice() else { break command };
        let tandem = tandem::Key { tandem: moved.from.tandem, edition: edition.edition };
        let withdraw = tandem::Command { key: tandem, action: Action::Withdraw(Withdrawal::Moved) };
        match unit.execute::<Tandem>(tandem.tandem.uuid(), withdraw).await {
            Ok(_) => break command,
            // Somebody has just answered it, so there is one offer less that may be moved.
            Err(CommandError::Rejected(_)) => {}
            Err(error) => return Err(error.into()),
        }
    };
    let choice = command.choice();
    unit.execute::<Repair>(key.repair.uuid(), command).await?;
    let Ok(step) = choice else { return Ok(()) };
    let offers = [Some(step.offer), step.moved.map(|moved| moved.to)];
    for Offered { pair, points } in offers.into_iter().flatten() {
        let answer_by = edition.settings.answer_by(now);
        let offer = Offer { pair, run: None, repair: Some(key.repair), points, answer_by };
        let tandem = tandem::Key::of_repair(key.repair, edition.edition, pair);
        let publish = tandem::Command { key: tandem, action: Action::Publish(offer) };
        unit.execute::<Tandem>(tandem.tandem.uuid(), publish).await?;
    }
    Ok(())
}
