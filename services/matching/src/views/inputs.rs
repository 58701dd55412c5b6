//! What the rules need to know of people, put together from all tables.

use std::collections::{BTreeMap, BTreeSet};

use identity::PersonId;
use jiff::civil::Date;
use sqlx::PgConnection;

use super::editions::{self, EditionRow, Settings};
use super::participants::{self, Answer, Candidate};
use super::people;
use super::tandems::{self, TandemRow};
use crate::domain::frontier::{self, Situation, Step, Unanswered};
use crate::domain::inputs::{Inputs, Mentee, Mentor, Participant, Rules};
use crate::domain::{Pair, Side, pairing, solution, week};

/// What a run of the edition is computed from, as it is now.
///
/// # Errors
/// If the database fails.
pub async fn of_run(conn: &mut PgConnection, edition: &EditionRow) -> sqlx::Result<Inputs> {
    let mut mentors = participants::mentors(&mut *conn, edition.edition, None).await?;
    mentors.retain(|mentor| mentor.live < i64::from(mentor.capacity));
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
            Ok(pairing::assess(&inputs.rules, mentor, mentee, inputs.past.get(&pair).copied()))
        }
    };
    let offered_already = tandems::is_offered(conn, edition.edition, pair).await?;
    Ok(Two { assessed, offered_already, places_left })
}

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
/// each other once more.
///
/// # Errors
/// If the database fails.
pub async fn of_left_over(
    conn: &mut PgConnection,
    edition: &EditionRow,
    mentee: PersonId,
    today: Date,
) -> sqlx::Result<Option<LeftOver>> {
    let mut mentees = participants::mentees(&mut *conn, edition.edition, None).await?;
    let found = mentees.iter().find(|candidate| candidate.answer.person == mentee);
    if found.is_none_or(|candidate| candidate.live > 0) {
        return Ok(None);
    }
    let expired = tandems::expired(&mut *conn, edition.edition).await?;
    let mut silent = people::away(&mut *conn, today).await?;
    silent.extend(expired.iter().filter(|row| !row.mentor_accepted).map(|row| row.pair.mentor));
    let silences = expired.iter().filter(|row| row.pair.mentee == mentee && !row.mentee_accepted).count();

    let mut unanswered = tandems::unanswered(&mut *conn, edition.edition).await?;
    unanswered.retain(|row| !silent.contains(&row.pair.mentor));
    let concerned = |person| person == mentee || unanswered.iter().any(|row| row.pair.mentee == person);
    mentees.retain(|candidate| concerned(candidate.answer.person));
    let mut mentors = participants::mentors(&mut *conn, edition.edition, None).await?;
    mentors.retain(|candidate| !silent.contains(&candidate.answer.person));
    let inputs = assemble(conn, edition, mentors, mentees).await?;

    let free = inputs.mentors.iter().filter(|mentor| mentor.places > 0);
    let offer = |row: TandemRow| Unanswered { tandem: row.key.tandem, pair: row.pair, points: row.points };
    let situation = Situation {
        mentee,
        free: free.map(|mentor| mentor.participant.standing.person).collect(),
        unanswered: unanswered.into_iter().map(offer).collect(),
    };
    let ended: BTreeSet<Pair> = expired.iter().map(|row| row.pair).collect();
    let mentors: BTreeMap<PersonId, &Mentor> =
        inputs.mentors.iter().map(|mentor| (mentor.participant.standing.person, mentor)).collect();
    let mentees: BTreeMap<PersonId, &Mentee> =
        inputs.mentees.iter().map(|mentee| (mentee.participant.standing.person, mentee)).collect();
    let fits = |pair: Pair| {
        let (mentor, mentee) = (mentors.get(&pair.mentor)?, mentees.get(&pair.mentee)?);
        let past = inputs.past.get(&pair).copied();
        if ended.contains(&pair) { None } else { pairing::assess(&inputs.rules, mentor, mentee, past).ok() }
    };
    let frontier = frontier::frontier(&situation, &solution::FAIRNESS_BANDS.map(i32::from), fits);
    Ok(Some(LeftOver { frontier, silences: i64::try_from(silences).unwrap_or(i64::MAX) }))
}

/// Whether the two of a tandem break a rule that concerns the organisation, as it is now.
///
/// # Errors
/// If the database fails.
pub async fn breaks_organisation(conn: &mut PgConnection, rules: &Rules, pair: Pair) -> sqlx::Result<bool> {
    let standings = people::standings(conn, &[pair.mentor, pair.mentee]).await?;
    let two = (standings.get(&pair.mentor), standings.get(&pair.mentee));
    Ok(
        matches!(two, (Some(mentor), Some(mentee)) if pairing::check_organisation(rules, mentor, mentee).is_err()),
    )
}

async fn assemble(
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
    let past = tandems::past(conn, edition.edition, &teachers, &learners).await?;

    let participant = |answer: Answer| {
        let standing = standings.get(&answer.person)?.clone();
        // Whose zone this machine does not know can never meet, which the rules then say.
        let spans = editions::zone(&answer.time_zone).map(|zone| {
            let Settings { start_date, rules, .. } = edition.settings;
            week::sampled(&answer.windows, &zone, start_date, rules.months)
        });
        let spans = spans.unwrap_or_default();
        Some((Participant { standing, languages: answer.languages, spans }, answer.levels))
    };
    Ok(Inputs {
        rules: edition.settings.rules,
        mentees: mentees
            .into_iter()
            .filter_map(|mentee| participant(mentee.answer))
            .map(|(participant, needs)| Mentee { participant, needs })
            .collect(),
        mentors: mentors
            .into_iter()
            .filter_map(|mentor| {
                let free = i64::from(mentor.capacity) - mentor.live;
                let (participant, offers) = participant(mentor.answer)?;
                Some(Mentor { participant, offers, places: u32::try_from(free).unwrap_or_default() })
            })
            .collect(),
        past,
    })
}
