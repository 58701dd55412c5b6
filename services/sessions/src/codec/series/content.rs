//! What the two ask and agree, unreadable without their key.

use eventlog::{Corrupt, Draft, Recorded};
use proto::sessions as stored;

use super::Fields;
use crate::domain::series::{Action, Change, Event, Question};

pub(super) fn encode_question(tandem_id: String, edition_id: String, question: &Question) -> Draft {
    Draft::of(&stored::QuestionAsked {
        question_id: question.id.to_string(),
        tandem_id,
        edition_id,
        sealed_text: question.sealed_text.clone(),
        topic_id: question.topic.clone(),
        asked_by_person_id: question.asked_by.to_string(),
    })
}

pub(super) fn encode_action(tandem_id: String, edition_id: String, action: &Action) -> Draft {
    Draft::of(&stored::ActionAgreed {
        action_id: action.id.to_string(),
        tandem_id,
        edition_id,
        sealed_text: action.sealed_text.clone(),
        due_date: action.due_date.to_string(),
        agreed_by_person_id: action.agreed_by.to_string(),
    })
}

pub(super) fn decode(event: &Recorded) -> Result<Option<Event>, Corrupt> {
    let fields = Fields(event);
    let decoded = if event.is::<stored::QuestionAsked>() {
        let it: stored::QuestionAsked = event.read()?;
        let question = Question {
            id: fields.id("question_id", &it.question_id)?,
            asked_by: fields.id("asked_by_person_id", &it.asked_by_person_id)?,
            sealed_text: it.sealed_text,
            topic: it.topic_id,
        };
        fields.of_series(&it.tandem_id, &it.edition_id, Change::QuestionAsked(question))?
    } else if event.is::<stored::QuestionAnswered>() {
        let it: stored::QuestionAnswered = event.read()?;
        let question = fields.id("question_id", &it.question_id)?;
        let change = Change::QuestionAnswered(question, fields.id("session_id", &it.session_id)?);
        fields.of_series(&it.tandem_id, &it.edition_id, change)?
    } else if event.is::<stored::ActionAgreed>() {
        let it: stored::ActionAgreed = event.read()?;
        let action = Action {
            id: fields.id("action_id", &it.action_id)?,
            agreed_by: fields.id("agreed_by_person_id", &it.agreed_by_person_id)?,
            sealed_text: it.sealed_text,
            due_date: fields.date("due_date", &it.due_date)?,
        };
        fields.of_series(&it.tandem_id, &it.edition_id, Change::ActionAgreed(action))?
    } else if event.is::<stored::ActionCompleted>() {
        let it: stored::ActionCompleted = event.read()?;
        let change = Change::ActionCompleted(fields.id("action_id", &it.action_id)?);
        fields.of_series(&it.tandem_id, &it.edition_id, change)?
    } else {
        return Ok(None);
    };
    Ok(Some(decoded))
}
