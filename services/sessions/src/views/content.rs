//! The question box and the actions of a tandem, sealed with its key.

use eventlog::{Patches, Recorded, Table, bytes};
use identity::{ActionId, PersonId, QuestionId, SessionId, TandemId};
use jiff::Timestamp;
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgExecutor, Row};
use uuid::Uuid;

use crate::domain::series::{Action, Question};

static QUESTIONS: Table = Table {
    name: "questions",
    key: "question_id",
    columns: "tandem_id, position, sealed_text, topic_id, asked_by, answered_in, asked_at",
};
static ACTIONS: Table = Table {
    name: "actions",
    key: "action_id",
    columns: "tandem_id, position, sealed_text, agreed_by, due_date, completed",
};

/// A question as it stands.
#[derive(Clone, Debug)]
pub struct QuestionRow {
    /// The question.
    pub question: Question,
    /// The session that answered it.
    pub answered_in: Option<SessionId>,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Its place in the box.
    pub position: i64,
}

impl FromRow<'_, PgRow> for QuestionRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let answered_in: Option<Uuid> = row.try_get("answered_in")?;
        Ok(Self {
            question: Question {
                id: QuestionId::from_uuid(row.try_get("question_id")?),
                asked_by: PersonId::from_uuid(row.try_get("asked_by")?),
                sealed_text: row.try_get("sealed_text")?,
                topic: row.try_get("topic_id")?,
            },
            answered_in: answered_in.map(SessionId::from_uuid),
            asked_at: row.try_get::<jiff_sqlx::Timestamp, _>("asked_at")?.to_jiff(),
            position: row.try_get("position")?,
        })
    }
}

/// An action as it stands.
#[derive(Clone, Debug)]
pub struct ActionRow {
    /// The action.
    pub action: Action,
    /// Whether it is done.
    pub completed: bool,
    /// Its place in the list.
    pub position: i64,
}

impl FromRow<'_, PgRow> for ActionRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            action: Action {
                id: ActionId::from_uuid(row.try_get("action_id")?),
                agreed_by: PersonId::from_uuid(row.try_get("agreed_by")?),
                sealed_text: row.try_get("sealed_text")?,
                due_date: row.try_get::<jiff_sqlx::Date, _>("due_date")?.to_jiff(),
            },
            completed: row.try_get("completed")?,
            position: row.try_get("position")?,
        })
    }
}

/// A page of a tandem's questions in order of asking.
///
/// # Errors
/// If the database fails.
pub async fn questions(
    executor: impl PgExecutor<'_>,
    tandem: TandemId,
    after: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<QuestionRow>> {
    sqlx::query_as(
        "select * from questions where tandem_id = $1 and position > $2 order by position limit $3",
    )
    .bind(tandem.uuid())
    .bind(after.unwrap_or_default())
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// A page of a tandem's actions in order of agreement.
///
/// # Errors
/// If the database fails.
pub async fn actions(
    executor: impl PgExecutor<'_>,
    tandem: TandemId,
    after: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<ActionRow>> {
    sqlx::query_as("select * from actions where tandem_id = $1 and position > $2 order by position limit $3")
        .bind(tandem.uuid())
        .bind(after.unwrap_or_default())
        .bind(limit)
        .fetch_all(executor)
        .await
}

pub(super) fn ask(patches: &mut Patches, tandem: TandemId, recorded: &Recorded, question: &Question) {
    let row = json!({
        "question_id": question.id, "tandem_id": tandem, "position": recorded.position,
        "sealed_text": bytes(&question.sealed_text), "topic_id": question.topic, "asked_by": question.asked_by,
        "asked_at": recorded.recorded_at,
    });
    patches.set(&QUESTIONS, row);
}

pub(super) fn answer(patches: &mut Patches, question: QuestionId, session: SessionId) {
    patches.change(&QUESTIONS, json!({ "question_id": question, "answered_in": session }));
}

pub(super) fn agree(patches: &mut Patches, tandem: TandemId, recorded: &Recorded, action: &Action) {
    let row = json!({
        "action_id": action.id, "tandem_id": tandem, "position": recorded.position,
        "sealed_text": bytes(&action.sealed_text), "agreed_by": action.agreed_by, "due_date": action.due_date,
        "completed": false,
    });
    patches.set(&ACTIONS, row);
}

pub(super) fn complete(patches: &mut Patches, action: ActionId) {
    patches.change(&ACTIONS, json!({ "action_id": action, "completed": true }));
}
