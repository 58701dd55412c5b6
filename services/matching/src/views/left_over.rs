//! Executives who may have been left over, and how each can be served.

use std::collections::{BTreeMap, BTreeSet};

use eventlog::BoxError;
use identity::PersonId;
use jiff::civil::Date;
use sqlx::PgConnection;

use super::editions::EditionRow;
use super::tandems::{self, TandemRow};
use super::{inputs, participants, people};
use crate::domain::frontier::{self, Situation, Step, Unanswered};
use crate::domain::inputs::{Mentee, Mentor};
use crate::domain::{Pair, pairing};

/// What is known of an executive who may have been left over.
#[derive(Clone, Debug)]
pub struct LeftOver {
    /// The ways to serve the executive, fewest moves first.
    pub frontier: Vec<Step>,
    /// How many offers of the edition the executive let end in silence.
    pub silences: i64,
}

/// How an executive can be served, as it is now; none if the executive takes no part, or has a tandem or an offer.
///
/// Whoever is on leave or let an offer end in silence is not asked by a repair as a mentor, nor are two whose offer ended so offered to
/// each other once more. The silence of an executive who was on leave at the end of the time to answer counts for nothing.
///
/// # Errors
/// If the database fails.
pub async fn find(
    conn: &mut PgConnection,
    edition: &EditionRow,
    mentee: PersonId,
    today: Date,
) -> Result<Option<LeftOver>, BoxError> {
    let mut mentees = participants::mentees(&mut *conn, edition.edition, None).await?;
    let found = mentees.iter().find(|candidate| candidate.answer.person == mentee);
    if found.is_none_or(|candidate| candidate.live > 0) {
        return Ok(None);
    }
    let expired = tandems::expired(&mut *conn, edition.edition).await?;
    let mut silent = people::away(&mut *conn, today).await?;
    silent.extend(expired.iter().filter(|row| !row.mentor_accepted).map(|row| row.pair.mentor));
    let leaves = people::leaves(&mut *conn, mentee).await?;
    let was_here = |row: &TandemRow| {
        let day = edition.settings.today(row.answer_by);
        !leaves
            .iter()
            .any(|(first_day, last_day)| (*first_day..=last_day.unwrap_or(Date::MAX)).contains(&day))
    };
    let silent_to = |row: &&TandemRow| row.pair.mentee == mentee && !row.mentee_accepted && was_here(row);
    let silences = expired.iter().filter(silent_to).count();

    let mut unanswered = tandems::unanswered(&mut *conn, edition.edition).await?;
    unanswered.retain(|row| !silent.contains(&row.pair.mentor));
    let concerned = |person| person == mentee || unanswered.iter().any(|row| row.pair.mentee == person);
    mentees.retain(|candidate| concerned(candidate.answer.person));
    let mut mentors = participants::mentors(&mut *conn, edition.edition, None).await?;
    mentors.retain(|candidate| !silent.contains(&candidate.answer.person));
    let mut inputs = inputs::assemble(conn, edition, mentors, mentees).await?;

    let free = inputs.mentors.iter().filter(|mentor| mentor.places > 0);
    let offer = |row: TandemRow| Unanswered { tandem: row.key.tandem, pair: row.pair, points: row.points };
    let situation = Situation {
        mentee,
        free: free.map(|mentor| mentor.participant.standing.person).collect(),
        unanswered: unanswered.into_iter().map(offer).collect(),
    };
    // A mentor without a free place is offered only in the place of an offer that is taken back, which is free by then.
    for mentor in inputs.mentors.iter_mut().filter(|mentor| mentor.places == 0) {
        (mentor.places, mentor.taken) = (1, mentor.taken.saturating_sub(1));
    }
    let ended: BTreeSet<Pair> = expired.iter().map(|row| row.pair).collect();
    let mentors: BTreeMap<PersonId, &Mentor> =
        inputs.mentors.iter().map(|mentor| (mentor.participant.standing.person, mentor)).collect();
    let mentees: BTreeMap<PersonId, &Mentee> =
        inputs.mentees.iter().map(|mentee| (mentee.participant.standing.person, mentee)).collect();
    let fits = |pair: Pair| {
        let (mentor, mentee) = (mentors.get(&pair.mentor)?, mentees.get(&pair.mentee)?);
        let past = inputs.past.get(&pair).copied();
        if ended.contains(&pair) {
            return None;
        }
        pairing::assess(&inputs.rules, &inputs.scoring, mentor, mentee, past).ok()
    };
    let frontier = frontier::frontier(&situation, inputs.scoring.rules.bands(), fits)?;
    Ok(Some(LeftOver { frontier, silences: i64::try_from(silences).unwrap_or(i64::MAX) }))
}
