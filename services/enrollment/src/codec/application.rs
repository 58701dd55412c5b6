use eventlog::{Aggregate, Corrupt, Draft, Recorded};
use proto::api::TopicLevel;
use proto::enrollment as stored;

use super::{Fields, availability, availability_to_proto, id_texts};
use crate::domain::application::{
    self, Change, Command, DecisionReason, Event, Key, Offer, Offering, Rejection, State,
};

/// The streams of applications.
#[derive(Debug)]
pub enum Application {}

impl Aggregate for Application {
    const KIND: &'static str = "application";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
        application::decide(state, command)
    }

    fn evolve(state: &mut State, event: &Event) {
        application::evolve(state, event);
    }

    fn encode(event: &Event) -> Draft {
        let Key { application, edition, person } = event.key;
        let (application_id, edition_id, person_id) =
            (application.to_string(), edition.to_string(), person.to_string());
        match &event.change {
            Change::Submitted(offering, promised_date) => Draft::of(&stored::ApplicationSubmitted {
                application_id,
                edition_id,
                person_id,
                offers: offering.offers.iter().map(offer_to_proto).collect(),
                sealed_motivation: offering.sealed_motivation.clone(),
                availability: Some(availability_to_proto(&offering.availability)),
                capacity: offering.capacity,
                promised_date: promised_date.to_string(),
                wished_person_ids: id_texts(&offering.wishes),
            }),
            Change::InformationRequested(question) => Draft::of(&stored::InformationRequested {
                application_id,
                edition_id,
                person_id,
                sealed_question: question.clone(),
            }),
            Change::InformationProvided(answer, promised_date) => Draft::of(&stored::InformationProvided {
                application_id,
                edition_id,
                person_id,
                sealed_answer: answer.clone(),
                promised_date: promised_date.to_string(),
            }),
            Change::Accepted => {
                Draft::of(&stored::ApplicationAccepted { application_id, edition_id, person_id })
            }
            Change::Waitlisted(reason) => Draft::of(&stored::ApplicationWaitlisted {
                application_id,
                edition_id,
                person_id,
                reason: decision_reason_to_proto(*reason),
            }),
            Change::Declined(reason) => Draft::of(&stored::ApplicationDeclined {
                application_id,
                edition_id,
                person_id,
                reason: decision_reason_to_proto(*reason),
            }),
            Change::Withdrawn { left_company } => Draft::of(&stored::ApplicationWithdrawn {
                application_id,
                edition_id,
                person_id,
                left_company: *left_company,
            }),
        }
    }

    fn decode(event: &Recorded) -> Result<Event, Corrupt> {
        let fields = Fields(event);
        let key = |application: &str, edition: &str, person: &str| {
            Ok::<_, Corrupt>(Key {
                application: fields.id("application_id", application)?,
                edition: fields.id("edition_id", edition)?,
                person: fields.id("person_id", person)?,
            })
        };
        let reason = |number| fields.some("reason", decision_reason(number));
        let (key, change) = if event.is::<stored::ApplicationSubmitted>() {
            let it: stored::ApplicationSubmitted = event.read()?;
            let key = key(&it.application_id, &it.edition_id, &it.person_id)?;
            (key, submitted(&fields, it)?)
        } else if event.is::<stored::InformationRequested>() {
            let it: stored::InformationRequested = event.read()?;
            let key = key(&it.application_id, &it.edition_id, &it.person_id)?;
            (key, Change::InformationRequested(it.sealed_question))
        } else if event.is::<stored::InformationProvided>() {
            let it: stored::InformationProvided = event.read()?;
            let key = key(&it.application_id, &it.edition_id, &it.person_id)?;
            let promised = fields.date("promised_date", &it.promised_date)?;
            (key, Change::InformationProvided(it.sealed_answer, promised))
        } else if event.is::<stored::ApplicationAccepted>() {
            let it: stored::ApplicationAccepted = event.read()?;
            (key(&it.application_id, &it.edition_id, &it.person_id)?, Change::Accepted)
        } else if event.is::<stored::ApplicationWaitlisted>() {
            let it: stored::ApplicationWaitlisted = event.read()?;
            let key = key(&it.application_id, &it.edition_id, &it.person_id)?;
            (key, Change::Waitlisted(reason(it.reason)?))
        } else if event.is::<stored::ApplicationDeclined>() {
            let it: stored::ApplicationDeclined = event.read()?;
            let key = key(&it.application_id, &it.edition_id, &it.person_id)?;
            (key, Change::Declined(reason(it.reason)?))
        } else if event.is::<stored::ApplicationWithdrawn>() {
            let it: stored::ApplicationWithdrawn = event.read()?;
            let key = key(&it.application_id, &it.edition_id, &it.person_id)?;
            (key, Change::Withdrawn { left_company: it.left_company })
        } else {
            return Err(Corrupt::unknown(event));
        };
        Ok(Event { key, change })
    }
}

fn submitted(fields: &Fields, it: stored::ApplicationSubmitted) -> Result<Change, Corrupt> {
    let promised_date = fields.date("promised_date", &it.promised_date)?;
    let offering = Offering {
        offers: it.offers.into_iter().map(offer).collect(),
        sealed_motivation: it.sealed_motivation,
        wishes: fields.ids("wished_person_ids", &it.wished_person_ids)?,
        availability: availability(fields.some("availability", it.availability)?),
        capacity: it.capacity,
    };
    Ok(Change::Submitted(Box::new(offering), promised_date))
}

pub(crate) fn offer(message: TopicLevel) -> Offer {
    Offer { topic: message.topic_id, level: message.level }
}

pub(crate) fn offer_to_proto(offer: &Offer) -> TopicLevel {
    TopicLevel { topic_id: offer.topic.clone(), level: offer.level }
}

/// The reason of a number on the wire; none for one that is not defined.
pub(crate) fn decision_reason(number: i32) -> Option<DecisionReason> {
    DecisionReason::ALL.into_iter().find(|reason| decision_reason_to_proto(*reason) == number)
}

pub(crate) fn decision_reason_to_proto(reason: DecisionReason) -> i32 {
    let number = match reason {
        DecisionReason::TopicsCovered => stored::DecisionReason::TopicsCovered,
        DecisionReason::NoCapacity => stored::DecisionReason::NoCapacity,
        DecisionReason::Availability => stored::DecisionReason::Availability,
        DecisionReason::Language => stored::DecisionReason::Language,
        DecisionReason::Experience => stored::DecisionReason::Experience,
        DecisionReason::Other => stored::DecisionReason::Other,
    };
    number.into()
}

#[cfg(test)]
mod tests {
    use identity::{ApplicationId, EditionId, PersonId};
    use jiff::civil::date;

    use super::*;
    use crate::domain::availability::tests::mornings;
    use eventlog::rehearsal::{refuses_the_unreadable, round_trip};

    #[test]
    fn every_event_of_an_application_comes_back_as_it_was() {
        let offering = Offering {
            offers: vec![Offer { topic: "hashtags".to_owned(), level: 3 }],
            sealed_motivation: vec![1, 2],
            wishes: vec![PersonId::mint(), PersonId::mint()],
            availability: mornings(),
            capacity: 2,
        };
        let mut changes = vec![
            Change::Submitted(Box::new(offering), date(2013, 9, 11)),
            Change::InformationRequested(vec![3]),
            Change::InformationProvided(vec![4], date(2013, 9, 13)),
            Change::Accepted,
            Change::Withdrawn { left_company: false },
            Change::Withdrawn { left_company: true },
        ];
        changes.extend(DecisionReason::ALL.map(Change::Waitlisted));
        changes.extend(DecisionReason::ALL.map(Change::Declined));
        let key =
            Key { application: ApplicationId::mint(), edition: EditionId::mint(), person: PersonId::mint() };
        round_trip::<Application>(changes.into_iter().map(|change| Event { key, change }));
    }

    #[test]
    fn an_event_that_cannot_be_read_is_reported() {
        refuses_the_unreadable::<Application, stored::ApplicationDeclined>();
    }

    #[test]
    fn a_reason_that_is_not_defined_is_none() {
        assert_eq!(decision_reason(0), None);
        assert_eq!(decision_reason(99), None);
    }
}
