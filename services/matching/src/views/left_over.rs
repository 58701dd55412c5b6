//! Executives who are left over: what there is to serve them with, and how often they were silent.

use std::collections::{BTreeMap, BTreeSet};

use identity::PersonId;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::PgConnection;

use super::editions::EditionRow;
use super::tandems::{self, TandemRow};
use super::{inputs, participants, people};
use crate::domain::frontier::Unanswered;
use crate::domain::round::Round;
use crate::domain::{Pair, Side};

/// What there is to serve these executives with, as it is now.
///
/// Whoever is on leave or let an offer end in silence is not asked by a repair as a mentor, nor are two whose offer ended so offered to
/// each other once more.
///
/// # Errors
/// If the database fails.
pub async fn round(
    conn: &mut PgConnection,
    edition: &EditionRow,
    left_over: &BTreeSet<PersonId>,
    now: Timestamp,
) -> sqlx::Result<Round> {
    let expired = tandems::expired(&mut *conn, edition.edition).await?;
    let mut silent = people::away(&mut *conn, edition.settings.today(now)).await?;
    silent.extend(expired.iter().filter(|row| row.is_silent(Side::Mentor)).map(|row| row.pair.mentor));
    let unanswered = tandems::unanswered(&mut *conn, edition.edition).await?;
    // Offers whose time is over end at this moment, in whatever order.
    let (over, mut unanswered): (Vec<_>, Vec<_>) =
        unanswered.into_iter().partition(|row| row.answer_by <= now);
    silent.extend(over.iter().map(|row| row.pair.mentor));
    unanswered.retain(|row| !silent.contains(&row.pair.mentor));
    let mut mentors = participants::mentors(&mut *conn, edition.edition, None).await?;
    mentors.retain(|candidate| !silent.contains(&candidate.answer.person));
    let mut mentees = participants::mentees(&mut *conn, edition.edition, None).await?;
    let movable: BTreeSet<PersonId> = unanswered.iter().map(|row| row.pair.mentee).collect();
    let concerned = |person: &PersonId| left_over.contains(person) || movable.contains(person);
    mentees.retain(|candidate| concerned(&candidate.answer.person));
    let silences = silences(conn, edition, &expired, left_over).await?;
    let served = mentees.iter().filter(|mentee| mentee.live > 0).map(|mentee| mentee.answer.person).collect();
    let inputs = inputs::assemble(conn, edition, mentors, mentees).await?;

    let offer = |row: TandemRow| Unanswered { tandem: row.key.tandem, pair: row.pair, points: row.points };
    let ended: BTreeSet<Pair> = expired.iter().map(|row| row.pair).collect();
    Ok(Round::new(inputs, unanswered.into_iter().map(offer).collect(), served, ended, silences))
}

/// How many of these offers each executive let end in silence; none counts whose time to answer ended while the executive was on leave.
async fn silences(
    conn: &mut PgConnection,
    edition: &EditionRow,
    expired: &[TandemRow],
    mentees: &BTreeSet<PersonId>,
) -> sqlx::Result<BTreeMap<PersonId, i64>> {
    let leaves = people::leaves(conn, mentees).await?;
    let was_here = |row: &&TandemRow| {
        let day = edition.settings.last_day(row.answer_by);
        let mut own = leaves.get(&row.pair.mentee).into_iter().flatten();
        !own.any(|(first_day, last_day)| (*first_day..=last_day.unwrap_or(Date::MAX)).contains(&day))
    };
    let of_mentee = |row: &&TandemRow| mentees.contains(&row.pair.mentee) && row.is_silent(Side::Mentee);
    let mut silences = BTreeMap::new();
    for row in expired.iter().filter(of_mentee).filter(was_here) {
        *silences.entry(row.pair.mentee).or_default() += 1;
    }
    Ok(silences)
}
