use std::collections::BTreeSet;

use eventlog::{Aggregate, Corrupt, Draft, Recorded};
use identity::PersonId;
use prost::Message;
use proto::matching as stored;

use super::tandem::{points, points_to_proto};
use super::{Fields, pair_to_proto};
use crate::domain::Pair;
use crate::domain::certificate::{Certificate, Price};
use crate::domain::run::{self, Change, Command, Event, Key, Rejection, State};
use crate::domain::solution::{Proposed, Staged, Unmatched, Wishes};

/// The streams of match runs.
#[derive(Debug)]
pub enum Run {}

impl Aggregate for Run {
    const KIND: &'static str = "match_run";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
        run::decide(state, command)
    }

    fn evolve(state: &mut State, event: &Event) {
        run::evolve(state, event);
    }

    fn encode(event: &Event) -> Draft {
        let match_run_id = event.key.run.to_string();
        let edition_id = event.key.edition.to_string();
        match &event.change {
            Change::Staged(staged) => {
                let result = Some(staged_to_proto(staged));
                Draft::of(&stored::MatchRunStaged { match_run_id, edition_id, result })
            }
            Change::Revised(staged) => {
                let result = Some(staged_to_proto(staged));
                Draft::of(&stored::MatchRunRevised { match_run_id, edition_id, result })
            }
            Change::Reviewed(by) => {
                let reviewed_by_person_id = by.to_string();
                Draft::of(&stored::MatchRunReviewed { match_run_id, edition_id, reviewed_by_person_id })
            }
            Change::Published(by) => {
                let published_by_person_id = by.to_string();
                Draft::of(&stored::MatchRunPublished { match_run_id, edition_id, published_by_person_id })
            }
        }
    }

    fn decode(event: &Recorded) -> Result<Event, Corrupt> {
        let fields = Fields(event);
        let (match_run_id, edition_id, change) = if event.is::<stored::MatchRunStaged>() {
            let it: stored::MatchRunStaged = event.read()?;
            (it.match_run_id, it.edition_id, Change::Staged(staged(&fields, it.result)?))
        } else if event.is::<stored::MatchRunRevised>() {
            let it: stored::MatchRunRevised = event.read()?;
            (it.match_run_id, it.edition_id, Change::Revised(staged(&fields, it.result)?))
        } else if event.is::<stored::MatchRunReviewed>() {
            let it: stored::MatchRunReviewed = event.read()?;
            let by = fields.id("reviewed_by_person_id", &it.reviewed_by_person_id)?;
            (it.match_run_id, it.edition_id, Change::Reviewed(by))
        } else if event.is::<stored::MatchRunPublished>() {
            let it: stored::MatchRunPublished = event.read()?;
            let by = fields.id("published_by_person_id", &it.published_by_person_id)?;
            (it.match_run_id, it.edition_id, Change::Published(by))
        } else {
            return Err(Corrupt::unknown(event));
        };
        let key =
            Key { run: fields.id("match_run_id", &match_run_id)?, edition: fields.edition(&edition_id)? };
        Ok(Event { key, change })
    }
}

/// What a computation found, as its event bears it.
#[must_use]
pub fn result_bytes(staged: &Staged) -> Vec<u8> {
    staged_to_proto(staged).encode_to_vec()
}

fn staged_to_proto(staged: &Staged) -> stored::StagedResult {
    let (locks, forbids) = wishes_to_proto(&staged.wishes);
    stored::StagedResult {
        inputs_digest: staged.inputs_digest.clone(),
        mentee_count: staged.mentee_count,
        place_count: staged.place_count,
        pairs: staged.pairs.iter().map(proposed_to_proto).collect(),
        unmatched: staged.unmatched.iter().map(unmatched_to_proto).collect(),
        certificate: Some(certificate_to_proto(&staged.certificate)),
        blocking_pair_count: staged.blocking_pair_count,
        locks,
        forbids,
        scoring_version: staged.scoring_version,
        bands: staged.bands.iter().copied().map(i32::from).collect(),
    }
}

fn staged(fields: &Fields<'_>, result: Option<stored::StagedResult>) -> Result<Box<Staged>, Corrupt> {
    let it = fields.some("result", result)?;
    let pairs = it.pairs.iter().map(|pair| proposed(fields, pair));
    let unmatched = it.unmatched.into_iter().map(|missing| {
        Ok(Unmatched {
            mentee: fields.id("mentee_person_id", &missing.mentee_person_id)?,
            competing: people(fields, &missing.competing_mentee_person_ids)?,
            mentors: people(fields, &missing.mentor_person_ids)?,
            places: missing.places,
        })
    });
    let bands = it.bands.iter().map(|band| u16::try_from(*band).ok()).collect();
    Ok(Box::new(Staged {
        inputs_digest: it.inputs_digest,
        mentee_count: it.mentee_count,
        place_count: it.place_count,
        pairs: pairs.collect::<Result<_, _>>()?,
        unmatched: unmatched.collect::<Result<_, Corrupt>>()?,
        certificate: certificate(fields, it.certificate)?,
        blocking_pair_count: it.blocking_pair_count,
        wishes: fields.some("locks", wishes(&it.locks, &it.forbids))?,
        scoring_version: it.scoring_version,
        bands: fields.some("bands", bands)?,
    }))
}

pub(crate) fn proposed_to_proto(proposed: &Proposed) -> stored::ProposedPair {
    stored::ProposedPair {
        mentor_person_id: proposed.pair.mentor.to_string(),
        mentee_person_id: proposed.pair.mentee.to_string(),
        score: proposed.points.score(),
        points: Some(points_to_proto(proposed.points)),
        locked: proposed.locked,
        place: place_to_proto(proposed.place),
    }
}

fn place_to_proto(place: u32) -> i32 {
    i32::try_from(place).unwrap_or(i32::MAX)
}

fn proposed(fields: &Fields<'_>, it: &stored::ProposedPair) -> Result<Proposed, Corrupt> {
    Ok(Proposed {
        pair: fields.pair(&it.mentor_person_id, &it.mentee_person_id)?,
        points: points(fields.some("points", it.points)?),
        place: fields.some("place", u32::try_from(it.place).ok())?,
        locked: it.locked,
    })
}

/// An executive without a mentor; the reason follows from whether there is a mentor who would do.
pub(crate) fn unmatched_to_proto(unmatched: &Unmatched) -> stored::Unmatched {
    use stored::unmatched::Reason;
    let alone = unmatched.mentors.is_empty();
    let reason = if alone { Reason::NoAdmissibleMentor } else { Reason::TooFewPlaces };
    stored::Unmatched {
        mentee_person_id: unmatched.mentee.to_string(),
        reason: reason.into(),
        competing_mentee_person_ids: unmatched.competing.iter().map(PersonId::to_string).collect(),
        mentor_person_ids: unmatched.mentors.iter().map(PersonId::to_string).collect(),
        places: unmatched.places,
    }
}

fn people(fields: &Fields<'_>, ids: &[String]) -> Result<Vec<PersonId>, Corrupt> {
    ids.iter().map(|id| fields.id("person_ids", id)).collect()
}

pub(crate) fn certificate_to_proto(certificate: &Certificate) -> stored::Certificate {
    let price = |priced: &Price| stored::MentorPrice {
        mentor_person_id: priced.mentor.to_string(),
        price: priced.price.clone(),
        place: place_to_proto(priced.place),
    };
    stored::Certificate {
        prices: certificate.prices.iter().map(price).collect(),
        cost: certificate.cost.clone(),
        verified: certificate.verified,
    }
}

fn certificate(fields: &Fields<'_>, it: Option<stored::Certificate>) -> Result<Certificate, Corrupt> {
    let it = fields.some("certificate", it)?;
    let prices = it.prices.into_iter().map(|priced| {
        let mentor = fields.id("mentor_person_id", &priced.mentor_person_id)?;
        let place = fields.some("place", u32::try_from(priced.place).ok())?;
        Ok::<_, Corrupt>(Price { mentor, place, price: priced.price })
    });
    Ok(Certificate { prices: prices.collect::<Result<_, _>>()?, cost: it.cost, verified: it.verified })
}

pub(crate) fn wishes_to_proto(wishes: &Wishes) -> (Vec<stored::Pair>, Vec<stored::Pair>) {
    let pairs = |pairs: &BTreeSet<Pair>| pairs.iter().copied().map(pair_to_proto).collect();
    (pairs(&wishes.locks), pairs(&wishes.forbids))
}

/// The wishes; none if an id is no id.
pub(crate) fn wishes(locks: &[stored::Pair], forbids: &[stored::Pair]) -> Option<Wishes> {
    fn pairs(pairs: &[stored::Pair]) -> Option<BTreeSet<Pair>> {
        let pair = |pair: &stored::Pair| {
            let mentor = pair.mentor_person_id.parse().ok()?;
            Some(Pair { mentor, mentee: pair.mentee_person_id.parse().ok()? })
        };
        pairs.iter().map(pair).collect()
    }
    Some(Wishes { locks: pairs(locks)?, forbids: pairs(forbids)? })
}

#[cfg(test)]
mod tests {

    use assignment::Progress;
    use identity::{EditionId, MatchRunId};
    use uuid::Uuid;

    use crate::domain::frozen::tests::frozen;
    use crate::domain::inputs::tests::{inputs, mentee, pair, person};
    use crate::domain::solution;
    use eventlog::rehearsal::{refuses_the_unreadable, round_trip};

    use super::*;

    fn result() -> Box<Staged> {
        let mut scarce = inputs();
        scarce.mentees.push(mentee(3, &[100], &[("hashtags", 0)]));
        let wishes = Wishes { locks: [pair(11, 2)].into(), forbids: [pair(12, 3), pair(11, 1)].into() };
        scarce.mentors[0].places = 2;
        scarce.mentees.push(mentee(4, &[100], &[("hashtags", 0)]));
        let staged = solution::solve(&frozen(scarce), wishes, &Progress::default()).unwrap();
        assert!(!staged.pairs.is_empty() && !staged.unmatched.is_empty());
        Box::new(staged)
    }

    #[test]
    fn every_event_survives_the_log() {
        let key = Key {
            run: MatchRunId::from_uuid(Uuid::from_u128(1)),
            edition: EditionId::from_uuid(Uuid::from_u128(7)),
        };
        let changes = [
            Change::Staged(result()),
            Change::Revised(result()),
            Change::Reviewed(person(50)),
            Change::Published(person(50)),
        ];
        round_trip::<Run>(changes.map(|change| Event { key, change }));
        refuses_the_unreadable::<Run, stored::MatchRunStaged>();
        refuses_the_unreadable::<Run, stored::MatchRunPublished>();
    }
}
