//! The question box and the actions of a tandem, sealed with its key.

use eventlog::Recorded;
use identity::{ActionId, PersonId, QuestionId, SessionId, TandemId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgExecutor, Row};
use uuid::Uuid;

use crate::domain::series::{Action, Question};

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

pub(super) async fn ask(
    conn: &mut PgConnection,
    tandem: TandemId,
    recorded: &Recorded,
    question: &Question,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into questions (question_id, tandem_id, position, sealed_text, topic_id, asked_by, asked_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(question.id.uuid())
    .bind(tandem.uuid())
    .bind(recorded.position)
    .bind(&question.sealed_text)
    .bind(&question.topic)
    .bind(question.asked_by.uuid())
    .bind(recorded.recorded_at.to_sqlx())
    .execute(conn)
    .await
    .map(drop)
}

pub(super) async fn answer(
    conn: &mut PgConnection,
    question: QuestionId,
    session: SessionId,
) -> sqlx::Result<()> {
    let query = sqlx::query("update questions set answered_in = $2 where question_id = $1");
    query.bind(question.uuid()).bind(session.uuid()).execute(conn).await.map(drop)
}

pub(super) async fn agree(
    conn: &mut PgConnection,
    tandem: TandemId,
    recorded: &Recorded,
    action: &Action,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into actions (action_id, tandem_id, position, sealed_text, agreed_by, due_date)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(action.id.uuid())
    .bind(tandem.uuid())
    .bind(recorded.position)
    .bind(&action.sealed_text)
    .bind(action.agreed_by.uuid())
    .bind(action.due_date.to_sqlx())
    .execute(conn)
    .await
    .map(drop)
}

pub(super) async fn complete(conn: &mut PgConnection, action: ActionId) -> sqlx::Result<()> {
    let query = sqlx::query("update actions set completed = true where action_id = $1");
    query.bind(action.uuid()).execute(conn).await.map(drop)
}
