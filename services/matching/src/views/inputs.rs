//! What the rules need to know of people, put together from all tables.

use identity::PersonId;
use jiff::civil::Date;
use sqlx::PgConnection;

use super::editions::{self, EditionRow, Settings};
use super::participants::{self, Answer, Candidate};
use super::{people, scoring, tandems};
use crate::domain::inputs::{Inputs, Mentee, Mentor, Participant};
use crate::domain::pairing::Broken;
use crate::domain::{Pair, Side, pairing, week};

/// What a run of the edition is computed from, as it is on this day.
///
/// A mentor who is on leave could not answer an offer, and is left out as in a repair. An executive on leave stays: the obligation
/// does, and whoever is left out would find the places taken.
///
/// # Errors
/// If the database fails.
pub async fn of_run(conn: &mut PgConnection, edition: &EditionRow, today: Date) -> sqlx::Result<Inputs> {
    let away = people::away(&mut *conn, today).await?;
    let mut mentors = participants::mentors(&mut *conn, edition.edition, None).await?;
    mentors
        .retain(|mentor| mentor.live < i64::from(mentor.capacity) && !away.contains(&mentor.answer.person));
    let mut mentees = participants::mentees(&mut *conn, edition.edition, None).await?;
    mentees.retain(|mentee| mentee.live == 0);
    assemble(conn, edition, mentors, mentees).await
}

/// What is known of two people who may become a tandem by hand.
#[derive(Clone, Debug)]
pub struct Two {
    /// How well they fit, or the hard rule that they break; none for a side that takes no part.
    pub assessed: Result<Result<pairing::Points, pairing::Rule>, Side>,
    /// Whether they have an offer that is not answered yet.
    pub offered_already: bool,
    /// Whether each of them has a place that no active tandem holds.
    pub places_left: bool,
}

/// What is known of two people who may become a tandem by hand, as it is now.
///
/// # Errors
/// If the database fails.
pub async fn of_two(conn: &mut PgConnection, edition: &EditionRow, pair: Pair) -> sqlx::Result<Two> {
    let mentors = participants::mentors(&mut *conn, edition.edition, Some(pair.mentor)).await?;
    let mentees = participants::mentees(&mut *conn, edition.edition, Some(pair.mentee)).await?;
    let has_place = |candidate: &Candidate| candidate.active < i64::from(candidate.capacity);
    let places_left = mentors.iter().chain(&mentees).all(has_place);
    let inputs = assemble(conn, edition, mentors, mentees).await?;
    let assessed = match (inputs.mentors.first(), inputs.mentees.first()) {
        (None, _) => Err(Side::Mentor),
        (_, None) => Err(Side::Mentee),
        (Some(mentor), Some(mentee)) => {
            let past = inputs.past.get(&pair).copied();
            let assessed = pairing::assess(&inputs.rules, &inputs.scoring, mentor, mentee, past);
            Ok(assessed.map_err(Broken::first))
        }
    };
    let offered_already = tandems::is_offered(conn, edition.edition, pair).await?;
    Ok(Two { assessed, offered_already, places_left })
}

/// What the rules need to know of these people.
pub(super) async fn assemble(
    conn: &mut PgConnection,
    edition: &EditionRow,
    mentors: Vec<Candidate>,
    mentees: Vec<Candidate>,
) -> sqlx::Result<Inputs> {
    let people = |candidates: &[Candidate]| -> Vec<PersonId> {
        candidates.iter().map(|candidate| candidate.answer.person).collect()
    };
    let (teachers, learners) = (people(&mentors), people(&mentees));
    let standings = people::standings(&mut *conn, &[teachers.as_slice(), &learners].concat()).await?;
    let scoring = scoring::latest(&mut *conn, edition.edition).await?;
    let past = tandems::past(conn, edition.edition, &teachers, &learners).await?;

    let participant = |answer: Answer| {
        let standing = standings.get(&answer.person)?.clone();
        // Whose zone this machine does not know can never meet, which the rules then say.
        let spans = editions::zone(&answer.time_zone).map(|zone| {
            let Settings { start_date, rules, .. } = edition.settings;
            week::sampled(&answer.windows, &zone, start_date, rules.months)
        });
        let spans = spans.unwrap_or_default();
        let Answer { languages, wishes, levels, .. } = answer;
        Some((Participant { standing, languages, spans, wishes }, levels))
    };
    Ok(Inputs {
        rules: edition.settings.rules,
        scoring: scoring.map(|row| row.scoring).unwrap_or_default(),
        mentees: mentees
            .into_iter()
            .filter_map(|mentee| participant(mentee.answer))
            .map(|(participant, needs)| Mentee { participant, needs })
            .collect(),
        mentors: mentors
            .into_iter()
            .filter_map(|mentor| {
                let places = u32::try_from(i64::from(mentor.capacity) - mentor.live).unwrap_or_default();
                let taken = u32::try_from(mentor.live).unwrap_or_default();
                let (participant, offers) = participant(mentor.answer)?;
                Some(Mentor { participant, offers, places, taken })
            })
            .collect(),
        past,
    })
}
