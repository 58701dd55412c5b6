//! Rows as the interfaces show them.

use proto::sessions as api;
use proto::time::to_proto;
use sqlx::PgConnection;
use tonic::Status;

use crate::Sessions;
use crate::codec::side_to_proto;
use crate::domain::Side;
use crate::views::content::{ActionRow, QuestionRow};
use crate::views::follow_ups::FollowUpRow;
use crate::views::series::SeriesRow;
use crate::views::sessions::{SessionRow, SessionState};

impl Sessions {
    pub(super) async fn shown_question(
        &self,
        conn: &mut PgConnection,
        series: &SeriesRow,
        row: &QuestionRow,
    ) -> Result<api::Question, Status> {
        Ok(api::Question {
            question_id: row.question.id.to_string(),
            text: self.open(conn, series.tandem, &row.question.sealed_text).await?,
            topic_id: row.question.topic.clone(),
            asked_by_person_id: row.question.asked_by.to_string(),
            answered_in_session_id: row.answered_in.map(|session| session.to_string()).unwrap_or_default(),
            ask_time: Some(to_proto(row.asked_at)),
        })
    }

    pub(super) async fn shown_action(
        &self,
        conn: &mut PgConnection,
        series: &SeriesRow,
        row: &ActionRow,
    ) -> Result<api::Action, Status> {
        Ok(api::Action {
            action_id: row.action.id.to_string(),
            text: self.open(conn, series.tandem, &row.action.sealed_text).await?,
            due_date: row.action.due_date.to_string(),
            completed: row.completed,
            agreed_by_person_id: row.action.agreed_by.to_string(),
        })
    }
}

pub(super) fn series(row: &SeriesRow, (planned_count, held_count): (i32, i32)) -> api::Series {
    api::Series {
        tandem_id: row.tandem.to_string(),
        mentor_person_id: row.mentor.to_string(),
        mentee_person_id: row.mentee.to_string(),
        mentor_accepted_charter: row.charter.contains(&Side::Mentor),
        mentee_accepted_charter: row.charter.contains(&Side::Mentee),
        planned_count,
        held_count,
        office_alerted: row.office_alerted,
        ended: row.ended,
        etag: row.version.to_string(),
    }
}

pub(super) fn session(row: SessionRow) -> api::Session {
    api::Session {
        session_id: row.session.to_string(),
        tandem_id: row.tandem.to_string(),
        month: row.month,
        state: state(row.state).into(),
        start_time: Some(to_proto(row.slot.start)),
        end_time: Some(to_proto(row.slot.end)),
        time_zone: row.time_zone,
        sequence: row.sequence,
        side: row.side.map(side_to_proto).unwrap_or_default(),
        approved_absence: row.approved_absence,
    }
}

pub(super) fn follow_up(row: &FollowUpRow) -> api::FollowUp {
    api::FollowUp {
        follow_up_id: row.subject.id.to_string(),
        months: row.subject.months,
        due_date: row.due_date.to_string(),
        answered: row.active.is_some(),
        active: row.active.unwrap_or_default(),
    }
}

fn state(state: SessionState) -> api::session::State {
    use api::session::State;
    match state {
        SessionState::Planned => State::Planned,
        SessionState::Held => State::Held,
        SessionState::Cancelled => State::Cancelled,
        SessionState::Missed => State::Missed,
    }
}
