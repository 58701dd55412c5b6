//! Follow-ups.

use eventlog::{Aggregate, Corrupt, Draft, Recorded};
use proto::{api, sessions as stored};

use super::Fields;
use crate::domain::follow_up::{self, Answer, Change, Command, Event, Rejection, State, Subject};

/// The streams of follow-ups.
#[derive(Debug)]
pub enum FollowUp {}

impl Aggregate for FollowUp {
    const KIND: &'static str = "follow_up";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Rejection> {
        follow_up::decide(state, command)
    }

    fn evolve(state: &mut State, event: &Event) {
        follow_up::evolve(state, event);
    }

    fn encode(event: &Event) -> Draft {
        let Subject { id, edition, mentee, months } = event.subject;
        let (follow_up_id, edition_id, mentee_person_id) =
            (id.to_string(), edition.to_string(), mentee.to_string());
        match &event.change {
            Change::Scheduled(due_date) => Draft::of(&stored::FollowUpScheduled {
                follow_up_id,
                edition_id,
                mentee_person_id,
                months,
                due_date: due_date.to_string(),
            }),
            Change::Due => {
                Draft::of(&stored::FollowUpDue { follow_up_id, edition_id, mentee_person_id, months })
            }
            Change::Answered(answer) => Draft::of(&stored::FollowUpAnswered {
                follow_up_id,
                edition_id,
                mentee_person_id,
                months,
                active: answer.active,
                levels: answer.levels.iter().map(level_to_proto).collect(),
            }),
        }
    }

    fn decode(event: &Recorded) -> Result<Event, Corrupt> {
        let fields = Fields(event);
        let subject = |follow_up: &str, edition: &str, mentee: &str, months| {
            Ok::<_, Corrupt>(Subject {
                id: fields.id("follow_up_id", follow_up)?,
                edition: fields.id("edition_id", edition)?,
                mentee: fields.id("mentee_person_id", mentee)?,
                months,
            })
        };
        let (subject, change) = if event.is::<stored::FollowUpScheduled>() {
            let it: stored::FollowUpScheduled = event.read()?;
            let subject = subject(&it.follow_up_id, &it.edition_id, &it.mentee_person_id, it.months)?;
            (subject, Change::Scheduled(fields.date("due_date", &it.due_date)?))
        } else if event.is::<stored::FollowUpDue>() {
            let it: stored::FollowUpDue = event.read()?;
            (subject(&it.follow_up_id, &it.edition_id, &it.mentee_person_id, it.months)?, Change::Due)
        } else if event.is::<stored::FollowUpAnswered>() {
            let it: stored::FollowUpAnswered = event.read()?;
            let subject = subject(&it.follow_up_id, &it.edition_id, &it.mentee_person_id, it.months)?;
            (subject, Change::Answered(answer(it.active, it.levels)))
        } else {
            return Err(Corrupt::unknown(event));
        };
        Ok(Event { subject, change })
    }
}

/// What a mentee says; of a topic named twice the last level counts.
pub(crate) fn answer(active: bool, levels: Vec<api::TopicLevel>) -> Answer {
    Answer { active, levels: levels.into_iter().map(|it| (it.topic_id, it.level)).collect() }
}

fn level_to_proto((topic, level): (&String, &i32)) -> api::TopicLevel {
    api::TopicLevel { topic_id: topic.clone(), level: *level }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use identity::{EditionId, PersonId};
    use jiff::civil::date;

    use super::*;
    use eventlog::rehearsal::{refuses_the_unreadable, round_trip};

    #[test]
    fn every_event_of_a_follow_up_comes_back_as_it_was() {
        let levels = BTreeMap::from([("hashtags".to_owned(), 3), ("linkedin".to_owned(), 0)]);
        let changes = [
            Change::Scheduled(date(2014, 6, 30)),
            Change::Due,
            Change::Answered(Answer { active: true, levels }),
        ];
        let subject = Subject::of(EditionId::mint(), PersonId::mint(), 12);
        round_trip::<FollowUp>(changes.into_iter().map(|change| Event { subject, change }));
    }

    #[test]
    fn an_event_that_cannot_be_read_is_reported() {
        refuses_the_unreadable::<FollowUp, stored::FollowUpDue>();
    }
}
