use eventlog::{Aggregate, Corrupt, Draft, Recorded};
use proto::enrollment as stored;

use super::{Fields, availability, availability_to_proto, id_texts, optional_id_text};
use crate::domain::obligation::{
    self, Acknowledgement, Change, Command, Event, ExcuseReason, Key, Need, Rejection, State,
};

/// The streams of obligations.
#[derive(Debug)]
pub enum Obligation {}

impl Aggregate for Obligation {
    const KIND: &'static str = "obligation";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
        obligation::decide(state, command)
    }

    fn evolve(state: &mut State, event: &Event) {
        obligation::evolve(state, event);
    }

    fn encode(event: &Event) -> Draft {
        let Key { obligation, edition, person } = event.key;
        let (obligation_id, edition_id, person_id) =
            (obligation.to_string(), edition.to_string(), person.to_string());
        match &event.change {
            Change::Raised(due_date) => Draft::of(&stored::ObligationRaised {
                obligation_id,
                edition_id,
                person_id,
                due_date: due_date.to_string(),
            }),
            Change::Acknowledged(said) => Draft::of(&stored::ObligationAcknowledged {
                obligation_id,
                edition_id,
                person_id,
                needs: said.needs.iter().map(need_to_proto).collect(),
                sealed_goals: said.sealed_goals.clone(),
                availability: Some(availability_to_proto(&said.availability)),
                wished_person_ids: id_texts(&said.wishes),
            }),
            Change::Escalated(step) => {
                Draft::of(&stored::ObligationEscalated { obligation_id, edition_id, person_id, step: *step })
            }
            Change::Excused(reason, approver) => Draft::of(&stored::ObligationExcused {
                obligation_id,
                edition_id,
                person_id,
                reason: excuse_reason_to_proto(*reason),
                approver_person_id: optional_id_text(*approver),
            }),
            Change::Fulfilled => {
                Draft::of(&stored::ObligationFulfilled { obligation_id, edition_id, person_id })
            }
            Change::Lapsed => Draft::of(&stored::ObligationLapsed { obligation_id, edition_id, person_id }),
        }
    }

    fn decode(event: &Recorded) -> Result<Event, Corrupt> {
        let fields = Fields(event);
        let key = |obligation: &str, edition: &str, person: &str| {
            Ok::<_, Corrupt>(Key {
                obligation: fields.id("obligation_id", obligation)?,
                edition: fields.id("edition_id", edition)?,
                person: fields.id("person_id", person)?,
            })
        };
        let (key, change) = if event.is::<stored::ObligationRaised>() {
            let it: stored::ObligationRaised = event.read()?;
            let key = key(&it.obligation_id, &it.edition_id, &it.person_id)?;
            (key, Change::Raised(fields.date("due_date", &it.due_date)?))
        } else if event.is::<stored::ObligationAcknowledged>() {
            let it: stored::ObligationAcknowledged = event.read()?;
            let key = key(&it.obligation_id, &it.edition_id, &it.person_id)?;
            let said = Acknowledgement {
                needs: it.needs.into_iter().map(need).collect(),
                sealed_goals: it.sealed_goals,
                wishes: fields.ids("wished_person_ids", &it.wished_person_ids)?,
                availability: availability(fields.some("availability", it.availability)?),
            };
            (key, Change::Acknowledged(Box::new(said)))
        } else if event.is::<stored::ObligationEscalated>() {
            let it: stored::ObligationEscalated = event.read()?;
            (key(&it.obligation_id, &it.edition_id, &it.person_id)?, Change::Escalated(it.step))
        } else if event.is::<stored::ObligationExcused>() {
            let it: stored::ObligationExcused = event.read()?;
            let key = key(&it.obligation_id, &it.edition_id, &it.person_id)?;
            let reason = fields.some("reason", excuse_reason(it.reason))?;
            let approver = fields.optional_id("approver_person_id", &it.approver_person_id)?;
            (key, Change::Excused(reason, approver))
        } else if event.is::<stored::ObligationFulfilled>() {
            let it: stored::ObligationFulfilled = event.read()?;
            (key(&it.obligation_id, &it.edition_id, &it.person_id)?, Change::Fulfilled)
        } else if event.is::<stored::ObligationLapsed>() {
            let it: stored::ObligationLapsed = event.read()?;
            (key(&it.obligation_id, &it.edition_id, &it.person_id)?, Change::Lapsed)
        } else {
            return Err(Corrupt::unknown(event));
        };
        Ok(Event { key, change })
    }
}

pub(crate) fn need(message: stored::TopicNeed) -> Need {
    Need { topic: message.topic_id, level: message.level, wanted: message.wanted }
}

pub(crate) fn need_to_proto(need: &Need) -> stored::TopicNeed {
    stored::TopicNeed { topic_id: need.topic.clone(), level: need.level, wanted: need.wanted }
}

/// The reason of a number on the wire; none for one that is not defined.
pub(crate) fn excuse_reason(number: i32) -> Option<ExcuseReason> {
    ExcuseReason::ALL.into_iter().find(|reason| excuse_reason_to_proto(*reason) == number)
}

pub(crate) fn excuse_reason_to_proto(reason: ExcuseReason) -> i32 {
    let number = match reason {
        ExcuseReason::LongLeave => stored::ExcuseReason::LongLeave,
        ExcuseReason::Leaving => stored::ExcuseReason::Leaving,
        ExcuseReason::AlreadyPractised => stored::ExcuseReason::AlreadyPractised,
        ExcuseReason::BoardDecision => stored::ExcuseReason::BoardDecision,
    };
    number.into()
}

#[cfg(test)]
mod tests {
    use identity::{EditionId, PersonId};
    use jiff::civil::date;

    use super::*;
    use crate::domain::availability::tests::mornings;
    use eventlog::rehearsal::{refuses_the_unreadable, round_trip};

    #[test]
    fn every_event_of_an_obligation_comes_back_as_it_was() {
        let said = Acknowledgement {
            needs: vec![Need { topic: "hashtags".to_owned(), level: 0, wanted: true }],
            sealed_goals: vec![1, 2],
            wishes: vec![PersonId::mint()],
            availability: mornings(),
        };
        let mut changes = vec![
            Change::Raised(date(2013, 9, 16)),
            Change::Acknowledged(Box::new(said)),
            Change::Escalated(2),
            Change::Fulfilled,
            Change::Lapsed,
        ];
        changes.extend(ExcuseReason::ALL.map(|reason| Change::Excused(reason, Some(PersonId::mint()))));
        changes.push(Change::Excused(ExcuseReason::Leaving, None));
        let key = Key::of(EditionId::mint(), PersonId::mint());
        round_trip::<Obligation>(changes.into_iter().map(|change| Event { key, change }));
    }

    #[test]
    fn an_event_that_cannot_be_read_is_reported() {
        refuses_the_unreadable::<Obligation, stored::ObligationExcused>();
    }

    #[test]
    fn a_reason_that_is_not_defined_is_none() {
        assert_eq!(excuse_reason(0), None);
        assert_eq!(excuse_reason(99), None);
    }
}
