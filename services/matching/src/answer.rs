//! A tandem and the places it holds, changed together.

use eventlog::{CommandError, Error, Receipt, Unit};

use crate::codec::{Place, Tandem};
use crate::domain::{Pair, Side, place, tandem};
use crate::views::{Views, participants};

/// A mentee has one mentor in an edition.
const MENTEE_CAPACITY: i32 = 1;

/// Carries out a command on a tandem: becoming active takes the two places, ending releases them, a veto is spent.
///
/// If a place or the veto is gone the command is refused as a whole, and the caller's transaction must not be committed.
/// The tandem is locked before the places, and these in the order of their ids, so that two acceptances never wait in a circle.
///
/// # Errors
/// As the command itself; [`tandem::Rejection::Place`] if a place or the veto is gone.
pub(crate) async fn carry_out(
    unit: &mut Unit<'_, Views>,
    command: tandem::Command,
) -> Result<Receipt, CommandError<tandem::Rejection>> {
    let key = command.key;
    let vetoes = matches!(command.action, tandem::Action::Veto(_));
    let id = key.tandem.uuid();
    let (before, _) = unit.load::<Tandem>(id).await?;
    let receipt = unit.execute::<Tandem>(id, command).await?;
    let (after, _) = unit.load::<Tandem>(id).await?;
    let Some(pair) = after.pair() else { return Ok(receipt) };

    let position = match (before.is_active(), after.is_active()) {
        (false, true) => {
            let capacity = participants::capacity(unit.conn(), key.edition, pair.mentor).await;
            let mentor = place::Action::Take { capacity: capacity.map_err(Error::from)? };
            let mentee = place::Action::Take { capacity: MENTEE_CAPACITY };
            change_places(unit, key, pair, &[(Side::Mentor, mentor), (Side::Mentee, mentee)]).await?
        }
        (true, false) => {
            let release = place::Action::Release;
            change_places(unit, key, pair, &[(Side::Mentor, release), (Side::Mentee, release)]).await?
        }
        // A veto on what the mentee has ended otherwise changes nothing, and so costs nothing.
        _ if vetoes && before.is_offered() => {
            change_places(unit, key, pair, &[(Side::Mentee, place::Action::SpendVeto)]).await?
        }
        _ => receipt.position,
    };
    Ok(Receipt { position: position.max(receipt.position), ..receipt })
}

/// Changes places of the two, and answers with the position of the last change.
async fn change_places(
    unit: &mut Unit<'_, Views>,
    key: tandem::Key,
    pair: Pair,
    actions: &[(Side, place::Action)],
) -> Result<i64, CommandError<tandem::Rejection>> {
    let command = |(side, action): &(Side, place::Action)| {
        let person = match side {
            Side::Mentor => pair.mentor,
            Side::Mentee => pair.mentee,
        };
        let place = place::Key { edition: key.edition, person };
        (place.stream(*side), place::Command { key: place, tandem: key.tandem, action: *action })
    };
    let mut commands: Vec<_> = actions.iter().map(command).collect();
    commands.sort_unstable_by_key(|(stream, _)| *stream);
    let mut position = 0;
    for (stream, command) in commands {
        let receipt = unit.execute::<Place>(stream, command).await.map_err(of_tandem)?;
        position = receipt.position.max(position);
    }
    Ok(position)
}

/// What a place refuses, the tandem refuses.
fn of_tandem(error: CommandError<place::Rejection>) -> CommandError<tandem::Rejection> {
    match error {
        CommandError::Rejected(rejection) => CommandError::Rejected(rejection.into()),
        CommandError::Stale { expected, actual } => CommandError::Stale { expected, actual },
        CommandError::KeyReused => CommandError::KeyReused,
        CommandError::KeyInUse => CommandError::KeyInUse,
        CommandError::Conflict => CommandError::Conflict,
        CommandError::Failed(error) => CommandError::Failed(error),
    }
}
