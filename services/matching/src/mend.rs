//! An executive who is left over gets the next best offer, and an offer that can become no tandem ends.
//!
//! Whatever ended a tandem, took a place or lets somebody be served who waits is answered in the follower's transaction, event by
//! event: whoever waits for the answer by its position finds the new offer. What comes with the time is answered by the clock: a leave
//! ends with a day, and a round looks at so many pairs only.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use eventlog::{Begun, BoxError, CommandError, Context, Journal, Receipt, Unit};
use identity::{EditionId, PersonId};
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::PgPool;
use uuid::Uuid;

use crate::codec::{Repair, Tandem};
use crate::domain::Pair;
use crate::domain::frontier::{Offered, Step};
use crate::domain::repair::{self, Options, Policy, Waiting};
use crate::domain::round::{Reach, Round};
use crate::domain::tandem::{self, Action, Offer, Withdrawal};
use crate::views::editions::{self, EditionRow};
use crate::views::{Views, left_over, participants, repairs, runs, tandems};

/// When it is done, and how far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// The time.
    pub now: Timestamp,
    /// The most pairs that are looked at at once.
    pub pairs_at_once: usize,
}

/// Serves the executive whom the end of a tandem left over, and everybody who has waited longer.
pub(crate) async fn after_end(
    unit: &mut Unit<'_, Views>,
    ended: tandem::Key,
    mentee: PersonId,
    turn: Turn,
) -> Result<(), BoxError> {
    serve(unit, ended.edition, Left::ByAll(vec![repair::Key::of(ended, mentee)]), turn).await
}

/// Serves those who wait in one edition or in all, as somebody more may teach or be taught; and those executives who are back, whose
/// tandems ended when they left.
pub(crate) async fn after_news(
    unit: &mut Unit<'_, Views>,
    only: Option<EditionId>,
    back: &[PersonId],
    turn: Turn,
) -> Result<(), BoxError> {
    let waiting = repairs::editions_waiting(unit.conn()).await?;
    let mut left: BTreeMap<EditionId, Vec<repair::Key>> =
        waiting.into_iter().map(|(edition, _)| (edition, Vec::new())).collect();
    if !back.is_empty() {
        for ended in tandems::unmended(unit.conn(), back).await? {
            let key = repair::Key::of(ended.key, ended.pair.mentee);
            left.entry(ended.key.edition).or_default().push(key);
        }
    }
    for (edition, back) in left.into_iter().filter(|(edition, _)| only.is_none_or(|only| only == *edition)) {
        serve(unit, edition, Left::ByAll(back), turn).await?;
    }
    Ok(())
}

/// Ends the offers whose place went to this tandem, and serves whom they leave over.
pub(crate) async fn after_activation(
    unit: &mut Unit<'_, Views>,
    edition: EditionId,
    pair: Pair,
    turn: Turn,
) -> Result<(), BoxError> {
    let Some(edition) = editions::hold(unit.conn(), edition).await? else { return Ok(()) };
    let mentor = participants::mentors(unit.conn(), edition.edition, Some(pair.mentor)).await?;
    let full = mentor.first().is_none_or(|mentor| mentor.active >= i64::from(mentor.capacity));
    let mut left = Vec::new();
    for offer in tandems::offered_to(unit.conn(), edition.edition, pair).await? {
        if offer.pair.mentee != pair.mentee && !full {
            continue;
        }
        let command = tandem::Command { key: offer.key, action: Action::Withdraw(Withdrawal::PlaceTaken) };
        match unit.execute::<Tandem>(offer.key.tandem.uuid(), command).await {
            Ok(_) => left.push(repair::Key::of(offer.key, offer.pair.mentee)),
            // Its end came first, and is an event of its own.
            Err(CommandError::Rejected(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if left.is_empty() { Ok(()) } else { serve(unit, edition.edition, Left::ByAll(left), turn).await }
}

/// Serves those who stand in line; and once a day everybody who waits, as leaves end with a day.
///
/// The days on which it was done are known until the process ends: once more does no harm. An edition that fails is tried again at the
/// next turn, and keeps none of the others.
pub(crate) async fn by_clock(
    pool: &PgPool,
    journal: &Journal<Views>,
    days: &mut BTreeMap<EditionId, Date>,
    turn: Turn,
) -> Result<(), BoxError> {
    for (edition, in_line) in repairs::editions_waiting(pool).await? {
        let served_on = days.get(&edition).copied();
        match edition_by_clock(pool, journal, (edition, in_line), served_on, turn).await {
            Ok(today) => days.extend(today.map(|today| (edition, today))),
            Err(error) => {
                let error = &*error as &dyn Error;
                tracing::warn!(%edition, error, "nobody who waits was served; it is tried again");
            }
        }
    }
    Ok(())
}

/// Answers with the day on which everybody who waits was served by now.
async fn edition_by_clock(
    pool: &PgPool,
    journal: &Journal<Views>,
    (edition, in_line): (EditionId, bool),
    served_on: Option<Date>,
    turn: Turn,
) -> Result<Option<Date>, BoxError> {
    let Some(found) = editions::find(pool, edition).await? else { return Ok(served_on) };
    let today = found.settings.today(turn.now);
    let left = match (served_on == Some(today), in_line) {
        (false, _) => Left::ByAll(Vec::new()),
        (true, true) => Left::InLine,
        (true, false) => return Ok(served_on),
    };
    let context = Context { now: turn.now, actor: None, idempotency: None, expected_version: None };
    let Begun::Work(mut work) = journal.begin(&context).await? else { return Ok(served_on) };
    let served = serve(&mut work.unit(), edition, left, turn).await;
    if let Err(error) = served {
        work.rollback().await;
        return Err(error);
    }
    work.commit(Receipt { id: Uuid::nil(), version: 0, position: 0 }).await?;
    Ok(Some(today))
}

/// Who is left over.
enum Left {
    /// Everybody who waits, and then these.
    ByAll(Vec<repair::Key>),
    /// Those who stand in line.
    InLine,
}

async fn serve(
    unit: &mut Unit<'_, Views>,
    edition: EditionId,
    left: Left,
    turn: Turn,
) -> Result<(), BoxError> {
    let Some(edition) = editions::hold(unit.conn(), edition).await? else { return Ok(()) };
    let Policy::AtOnce { moves_max } = edition.settings.repair else { return Ok(()) };
    if !edition.phase.forms_tandems() {
        return Ok(());
    }
    let (only, newest) = match left {
        Left::ByAll(newest) => (None, newest),
        Left::InLine => (Some(Waiting::InLine), Vec::new()),
    };
    let mut keys = repairs::waiting(unit.conn(), edition.edition, only).await?;
    for key in newest {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    if keys.is_empty() {
        return Ok(());
    }
    let mentees: BTreeSet<PersonId> = keys.iter().map(|key| key.mentee).collect();
    let released_by = runs::released_by(unit.conn(), edition.edition).await?;
    let mut round = left_over::round(unit.conn(), &edition, &mentees, turn.now).await?;
    for reach in [Reach::Free, Reach::Moves] {
        round.look(reach, turn.pairs_at_once);
        for key in &keys {
            let silences = round.silences(key.mentee);
            loop {
                let found;
                (round, found) = options(round, key.mentee).await?;
                let Some(options) = found else { break };
                let command = repair::Command { key: *key, options, moves_max, silences, released_by };
                if mend(unit, &edition, &mut round, command, turn).await? {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Looks on a thread of its own, as even a bounded search would keep others from theirs.
async fn options(mut round: Round, mentee: PersonId) -> Result<(Round, Option<Options>), BoxError> {
    let search = move || {
        let found = round.options(mentee);
        (round, found)
    };
    let (round, found) = tokio::task::spawn_blocking(search).await?;
    Ok((round, found?))
}

/// Makes the next best offer to one executive, or lets the executive wait; not if the offer to be moved was answered just now.
async fn mend(
    unit: &mut Unit<'_, Views>,
    edition: &EditionRow,
    round: &mut Round,
    command: repair::Command,
    turn: Turn,
) -> Result<bool, BoxError> {
    let (key, choice) = (command.key, command.choice());
    if let Ok(Step { moved: Some(moved), .. }) = choice {
        let tandem = tandem::Key { tandem: moved.from.tandem, edition: edition.edition };
        let withdraw = tandem::Command { key: tandem, action: Action::Withdraw(Withdrawal::Moved) };
        match unit.execute::<Tandem>(tandem.tandem.uuid(), withdraw).await {
            Ok(_) => {}
            Err(CommandError::Rejected(_)) => {
                round.answered(tandem.tandem);
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
    }
    unit.execute::<Repair>(key.repair.uuid(), command).await?;
    let Ok(step) = choice else { return Ok(true) };
    round.take(&key, &step);
    let offers = [Some(step.offer), step.moved.map(|moved| moved.to)];
    for Offered { pair, points } in offers.into_iter().flatten() {
        let answer_by = edition.settings.answer_by(turn.now);
        let offer = Offer { pair, run: None, repair: Some(key.repair), points, answer_by };
        let tandem = tandem::Key::of_repair(key.repair, edition.edition, pair);
        let publish = tandem::Command { key: tandem, action: Action::Publish(offer) };
        unit.execute::<Tandem>(tandem.tandem.uuid(), publish).await?;
    }
    Ok(true)
}
