use eventlog::{Aggregate, Corrupt, Draft, Recorded};
use proto::matching as stored;
use proto::matching::tandem_withdrawn::Reason;
use proto::time;

use super::{Fields, side, side_to_proto};
use crate::domain::Pair;
use crate::domain::pairing::Points;
use crate::domain::scoring::{Criterion, PerCriterion};
use crate::domain::tandem::{
    self, Asking, Change, Command, Event, Key, Need, Offer, Rejection, State, Withdrawal,
};

/// The streams of tandems.
#[derive(Debug)]
pub enum Tandem {}

impl Aggregate for Tandem {
    const KIND: &'static str = "tandem";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
        tandem::decide(state, command)
    }

    fn evolve(state: &mut State, event: &Event) {
        tandem::evolve(state, event);
    }

    fn encode(event: &Event) -> Draft {
        let tandem_id = event.key.tandem.to_string();
        let edition_id = event.key.edition.to_string();
        let two = |pair: Pair| (pair.mentor.to_string(), pair.mentee.to_string());
        let (mentor_person_id, mentee_person_id) = event.change.pair().map(two).unwrap_or_default();
        match &event.change {
            Change::Published(offer) => Draft::of(&published(offer, tandem_id, edition_id)),
            Change::Accepted(side) => {
                Draft::of(&stored::TandemAccepted { tandem_id, edition_id, side: side_to_proto(Some(*side)) })
            }
            Change::Asked(asking) => Draft::of(&stored::TandemInformationNeeded {
                tandem_id,
                edition_id,
                side: side_to_proto(Some(asking.side)),
                need: need_to_proto(Some(asking.need)).into(),
                answer_by: Some(time::to_proto(asking.answer_by)),
                released_by_person_id: asking.released_by.map(|by| by.to_string()).unwrap_or_default(),
            }),
            Change::Flagged => Draft::of(&stored::TandemFlagged { tandem_id, edition_id }),
            Change::Cleared => Draft::of(&stored::TandemCleared { tandem_id, edition_id }),
            Change::Activated(_) => Draft::of(&stored::TandemActivated {
                tandem_id,
                edition_id,
                mentor_person_id,
                mentee_person_id,
            }),
            Change::Vetoed(_) => {
                Draft::of(&stored::TandemVetoed { tandem_id, edition_id, mentor_person_id, mentee_person_id })
            }
            Change::Declined(_) => Draft::of(&stored::TandemDeclined {
                tandem_id,
                edition_id,
                mentor_person_id,
                mentee_person_id,
            }),
            &Change::Expired { mentor_silent, mentee_silent, .. } => Draft::of(&stored::TandemExpired {
                tandem_id,
                edition_id,
                mentor_person_id,
                mentee_person_id,
                mentor_silent,
                mentee_silent,
            }),
            &Change::Dissolved { side, left_company, never_again, ref sealed_reason, .. } => {
                Draft::of(&stored::TandemDissolved {
                    tandem_id,
                    edition_id,
                    mentor_person_id,
                    mentee_person_id,
                    side: side_to_proto(side),
                    left_company,
                    never_again,
                    sealed_reason: sealed_reason.clone(),
                })
            }
            Change::Withdrawn(_, why) => Draft::of(&stored::TandemWithdrawn {
                tandem_id,
                edition_id,
                mentor_person_id,
                mentee_person_id,
                reason: withdrawal_to_proto(*why).into(),
            }),
            Change::Completed(_) => Draft::of(&stored::TandemCompleted {
                tandem_id,
                edition_id,
                mentor_person_id,
                mentee_person_id,
            }),
        }
    }

    fn decode(event: &Recorded) -> Result<Event, Corrupt> {
        let fields = Fields(event);
        let (tandem_id, edition_id, change) = match beginning(event, &fields)? {
            Some(begun) => begun,
            None => ending(event, &fields)?.ok_or_else(|| Corrupt::unknown(event))?,
        };
        let key = Key { tandem: fields.id("tandem_id", &tandem_id)?, edition: fields.edition(&edition_id)? };
        Ok(Event { key, change })
    }
}

/// The ids of the tandem and of the edition as they are written, and the change.
type Raw = (String, String, Change);

fn beginning(event: &Recorded, fields: &Fields<'_>) -> Result<Option<Raw>, Corrupt> {
    let raw = if event.is::<stored::TandemPublished>() {
        let it: stored::TandemPublished = event.read()?;
        let offer = Offer {
            pair: fields.pair(&it.mentor_person_id, &it.mentee_person_id)?,
            run: fields.optional_id("match_run_id", &it.match_run_id)?,
            repair: fields.optional_id("repair_id", &it.repair_id)?,
            points: points(fields.some("points", it.points)?),
            answer_by: fields.some("answer_by", it.answer_by.as_ref().and_then(time::from_proto))?,
        };
        (it.tandem_id, it.edition_id, Change::Published(offer))
    } else if event.is::<stored::TandemAccepted>() {
        let it: stored::TandemAccepted = event.read()?;
        (it.tandem_id, it.edition_id, Change::Accepted(fields.some("side", side(it.side))?))
    } else if event.is::<stored::TandemInformationNeeded>() {
        let it: stored::TandemInformationNeeded = event.read()?;
        let asking = Asking {
            side: fields.some("side", side(it.side))?,
            need: fields.some("need", need(it.need()))?,
            answer_by: fields.some("answer_by", it.answer_by.as_ref().and_then(time::from_proto))?,
            released_by: fields.optional_id("released_by_person_id", &it.released_by_person_id)?,
        };
        (it.tandem_id, it.edition_id, Change::Asked(asking))
    } else if event.is::<stored::TandemActivated>() {
        let it: stored::TandemActivated = event.read()?;
        let pair = fields.pair(&it.mentor_person_id, &it.mentee_person_id)?;
        (it.tandem_id, it.edition_id, Change::Activated(pair))
    } else if event.is::<stored::TandemFlagged>() {
        let it: stored::TandemFlagged = event.read()?;
        (it.tandem_id, it.edition_id, Change::Flagged)
    } else if event.is::<stored::TandemCleared>() {
        let it: stored::TandemCleared = event.read()?;
        (it.tandem_id, it.edition_id, Change::Cleared)
    } else {
        return Ok(None);
    };
    Ok(Some(raw))
}

fn ending(event: &Recorded, fields: &Fields<'_>) -> Result<Option<Raw>, Corrupt> {
    let raw = if event.is::<stored::TandemVetoed>() {
        let it: stored::TandemVetoed = event.read()?;
        let pair = fields.pair(&it.mentor_person_id, &it.mentee_person_id)?;
        (it.tandem_id, it.edition_id, Change::Vetoed(pair))
    } else if event.is::<stored::TandemDeclined>() {
        let it: stored::TandemDeclined = event.read()?;
        let pair = fields.pair(&it.mentor_person_id, &it.mentee_person_id)?;
        (it.tandem_id, it.edition_id, Change::Declined(pair))
    } else if event.is::<stored::TandemExpired>() {
        let it: stored::TandemExpired = event.read()?;
        let pair = fields.pair(&it.mentor_person_id, &it.mentee_person_id)?;
        let (mentor_silent, mentee_silent) = (it.mentor_silent, it.mentee_silent);
        (it.tandem_id, it.edition_id, Change::Expired { pair, mentor_silent, mentee_silent })
    } else if event.is::<stored::TandemDissolved>() {
        let it: stored::TandemDissolved = event.read()?;
        let change = Change::Dissolved {
            pair: fields.pair(&it.mentor_person_id, &it.mentee_person_id)?,
            side: side(it.side),
            left_company: it.left_company,
            never_again: it.never_again,
            sealed_reason: it.sealed_reason,
        };
        (it.tandem_id, it.edition_id, change)
    } else if event.is::<stored::TandemCompleted>() {
        let it: stored::TandemCompleted = event.read()?;
        let pair = fields.pair(&it.mentor_person_id, &it.mentee_person_id)?;
        (it.tandem_id, it.edition_id, Change::Completed(pair))
    } else if event.is::<stored::TandemWithdrawn>() {
        let it: stored::TandemWithdrawn = event.read()?;
        let pair = fields.pair(&it.mentor_person_id, &it.mentee_person_id)?;
        let why = fields.some("reason", withdrawal(it.reason()))?;
        (it.tandem_id, it.edition_id, Change::Withdrawn(pair, why))
    } else {
        return Ok(None);
    };
    Ok(Some(raw))
}

fn published(offer: &Offer, tandem_id: String, edition_id: String) -> stored::TandemPublished {
    stored::TandemPublished {
        tandem_id,
        edition_id,
        mentor_person_id: offer.pair.mentor.to_string(),
        mentee_person_id: offer.pair.mentee.to_string(),
        match_run_id: offer.run.map(|run| run.to_string()).unwrap_or_default(),
        score: offer.points.score(),
        points: Some(points_to_proto(offer.points)),
        answer_by: Some(time::to_proto(offer.answer_by)),
        repair_id: offer.repair.map(|repair| repair.to_string()).unwrap_or_default(),
    }
}

pub(crate) fn need(need: stored::InformationNeed) -> Option<Need> {
    Need::ALL.into_iter().find(|known| need_to_proto(Some(*known)) == need)
}

pub(crate) fn need_to_proto(need: Option<Need>) -> stored::InformationNeed {
    use stored::InformationNeed as Wire;
    match need {
        None => Wire::Unspecified,
        Some(Need::Effort) => Wire::Effort,
        Some(Need::Partner) => Wire::Partner,
        Some(Need::Topics) => Wire::Topics,
        Some(Need::Other) => Wire::Other,
    }
}

fn withdrawal(reason: Reason) -> Option<Withdrawal> {
    match reason {
        Reason::Unspecified => None,
        Reason::PlaceTaken => Some(Withdrawal::PlaceTaken),
        Reason::Moved => Some(Withdrawal::Moved),
    }
}

fn withdrawal_to_proto(why: Withdrawal) -> Reason {
    match why {
        Withdrawal::PlaceTaken => Reason::PlaceTaken,
        Withdrawal::Moved => Reason::Moved,
    }
}

pub(super) fn points(it: stored::Points) -> Points {
    let of = |criterion| match criterion {
        Criterion::Topics => it.topics,
        Criterion::Availability => it.availability,
        Criterion::Distance => it.distance,
        Criterion::Language => it.language,
        Criterion::MenteeWish => it.mentee_wish,
        Criterion::MentorWish => it.mentor_wish,
        Criterion::LoadBalance => it.load_balance,
    };
    Points { by: PerCriterion(Criterion::ALL.map(of)), scoring_version: it.scoring_version }
}

pub(crate) fn points_to_proto(points: Points) -> stored::Points {
    let of = |criterion| points.by.of(criterion);
    stored::Points {
        topics: of(Criterion::Topics),
        availability: of(Criterion::Availability),
        distance: of(Criterion::Distance),
        language: of(Criterion::Language),
        mentee_wish: of(Criterion::MenteeWish),
        mentor_wish: of(Criterion::MentorWish),
        load_balance: of(Criterion::LoadBalance),
        scoring_version: points.scoring_version,
    }
}

#[cfg(test)]
mod tests {
    use identity::{EditionId, MatchRunId, RepairId, TandemId};
    use uuid::Uuid;

    use crate::domain::Side;
    use crate::domain::inputs::tests::{pair, person};
    use eventlog::rehearsal::{refuses_the_unreadable, round_trip};

    use super::*;

    #[test]
    fn every_event_survives_the_log() {
        let key = Key {
            tandem: TandemId::from_uuid(Uuid::from_u128(3)),
            edition: EditionId::from_uuid(Uuid::from_u128(7)),
        };
        let pair = pair(11, 1);
        let offer = Offer {
            pair,
            run: Some(MatchRunId::from_uuid(Uuid::from_u128(1))),
            repair: None,
            points: Points { by: PerCriterion([1, 2, 3, 4, 5, 6, 7]), scoring_version: 8 },
            answer_by: "2013-09-05T22:00:00Z".parse().unwrap(),
        };
        let dissolved = |side, left_company, never_again, sealed_reason| Change::Dissolved {
            pair,
            side,
            left_company,
            never_again,
            sealed_reason,
        };
        let asking =
            |need| Asking { side: Side::Mentee, need, answer_by: offer.answer_by, released_by: None };
        let changes = [
            Change::Published(offer),
            Change::Published(Offer { run: None, repair: Some(RepairId::mint()), ..offer }),
            Change::Accepted(Side::Mentor),
            Change::Accepted(Side::Mentee),
            Change::Activated(pair),
            Change::Vetoed(pair),
            Change::Declined(pair),
            Change::Expired { pair, mentor_silent: true, mentee_silent: false },
            dissolved(Some(Side::Mentor), false, true, vec![1, 2]),
            dissolved(None, true, false, vec![]),
            Change::Completed(pair),
            Change::Flagged,
            Change::Cleared,
            Change::Withdrawn(pair, Withdrawal::PlaceTaken),
            Change::Withdrawn(pair, Withdrawal::Moved),
            Change::Asked(asking(Need::Effort)),
            Change::Asked(Asking { released_by: Some(person(50)), ..asking(Need::Other) }),
        ];
        round_trip::<Tandem>(changes.map(|change| Event { key, change }));
        refuses_the_unreadable::<Tandem, stored::TandemPublished>();
        refuses_the_unreadable::<Tandem, stored::TandemAccepted>();
        refuses_the_unreadable::<Tandem, stored::TandemDissolved>();
        refuses_the_unreadable::<Tandem, stored::TandemWithdrawn>();
    }
}
