//! `SessionsService`.

use boot::{Page, not_found, refuse, unavailable};
use identity::{ActionId, FollowUpId, QuestionId, Resource, Scope, SessionId};
use jiff::civil::Date;
use proto::sessions as api;
use proto::sessions::sessions_service_server::SessionsService;
use tonic::{Request, Response, Status};

use super::{Named, id, known_topic, shown, violation};
use crate::Sessions;
use crate::codec::{self, FollowUp};
use crate::domain::Side;
use crate::domain::follow_up;
use crate::domain::series::{Act, Action, Move, Pulse, Question};
use crate::views::sessions::Key;
use crate::views::{content, editions, follow_ups, sessions};

#[tonic::async_trait]
impl SessionsService for Sessions {
    async fn get_series(
        &self,
        request: Request<api::GetSeriesRequest>,
    ) -> Result<Response<api::GetSeriesResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let named = (call.message.edition_id.as_str(), call.message.tandem_id.as_str());
        let mut conn = self.connection().await?;
        let row = self.read_series(&mut conn, &call, named).await?;
        let counts = sessions::counts(&mut *conn, row.tandem).await.map_err(unavailable)?;
        Ok(Response::new(api::GetSeriesResponse { series: Some(shown::series(&row, counts)) }))
    }

    async fn list_sessions(
        &self,
        request: Request<api::ListSessionsRequest>,
    ) -> Result<Response<api::ListSessionsResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let named = (call.message.edition_id.as_str(), call.message.tandem_id.as_str());
        let page = Page::<Key>::of(call.message.page_size, &call.message.page_token)?;
        let mut conn = self.connection().await?;
        let series = self.read_series(&mut conn, &call, named).await?;
        let rows = sessions::page(&mut *conn, series.tandem, page.after, page.fetch()).await;
        let (rows, next_page_token) =
            page.cut(rows.map_err(unavailable)?, |row| (row.slot.start, row.session));
        let sessions = rows.into_iter().map(shown::session).collect();
        Ok(Response::new(api::ListSessionsResponse { sessions, next_page_token }))
    }

    async fn list_calendar(
        &self,
        request: Request<api::ListCalendarRequest>,
    ) -> Result<Response<api::ListCalendarResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let person = match call.scope()? {
            Scope::Own(person) => person,
            Scope::All => call.person()?,
        };
        let page = Page::<Key>::of(call.message.page_size, &call.message.page_token)?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let rows = sessions::calendar(&self.pool, edition, person, page.after, page.fetch()).await;
        let (rows, next_page_token) =
            page.cut(rows.map_err(unavailable)?, |row| (row.slot.start, row.session));
        let sessions = rows.into_iter().map(shown::session).collect();
        Ok(Response::new(api::ListCalendarResponse { sessions, next_page_token }))
    }

    async fn accept_charter(
        &self,
        request: Request<api::AcceptCharterRequest>,
    ) -> Result<Response<api::AcceptCharterResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::AcceptCharterRequest { edition_id, tandem_id } = &call.message;
        let named = Named { edition_id, tandem_id, ..Named::default() };
        let receipt = self.act(&call, named, |given| Ok(Act::AcceptCharter(given.side()?))).await?;
        Ok(Response::new(api::AcceptCharterResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn hold_session(
        &self,
        request: Request<api::HoldSessionRequest>,
    ) -> Result<Response<api::HoldSessionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::HoldSessionRequest { edition_id, tandem_id, session_id, answered_question_ids } =
            &call.message;
        let session = id("session_id", session_id)?;
        let answered = answered_question_ids.iter().map(|text| id("answered_question_ids", text));
        let answered = answered.collect::<Result<_, _>>()?;
        let named = Named { edition_id, tandem_id, ..Named::default() };
        let receipt = self.act(&call, named, |_| Ok(Act::Hold(session, answered))).await?;
        Ok(Response::new(api::HoldSessionResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn move_session(
        &self,
        request: Request<api::MoveSessionRequest>,
    ) -> Result<Response<api::MoveSessionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::MoveSessionRequest { edition_id, tandem_id, session_id, start_time } = &call.message;
        let session: SessionId = id("session_id", session_id)?;
        let start = start_time.as_ref().and_then(proto::time::from_proto);
        let start = start.ok_or_else(|| violation("start_time", "TIMESTAMP", "must be an instant"))?;
        let named = Named { edition_id, tandem_id, moves: Some(session), ..Named::default() };
        let receipt = self
            .act(&call, named, |given| {
                Ok(Act::Move(Move { session, side: given.side()?, start, busy: given.busy }))
            })
            .await?;
        Ok(Response::new(api::MoveSessionResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn cancel_session(
        &self,
        request: Request<api::CancelSessionRequest>,
    ) -> Result<Response<api::CancelSessionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::CancelSessionRequest { edition_id, tandem_id, session_id } = &call.message;
        let session = id("session_id", session_id)?;
        let named = Named { edition_id, tandem_id, ..Named::default() };
        let receipt = self.act(&call, named, |given| Ok(Act::Cancel(session, given.side()?))).await?;
        Ok(Response::new(api::CancelSessionResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn excuse_session(
        &self,
        request: Request<api::ExcuseSessionRequest>,
    ) -> Result<Response<api::ExcuseSessionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::ExcuseSessionRequest { edition_id, tandem_id, session_id, side } = &call.message;
        let (session, side) = (id("session_id", session_id)?, side_of(*side)?);
        let named = Named { edition_id, tandem_id, ..Named::default() };
        let receipt = self.act(&call, named, |_| Ok(Act::Excuse(session, side))).await?;
        Ok(Response::new(api::ExcuseSessionResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn miss_session(
        &self,
        request: Request<api::MissSessionRequest>,
    ) -> Result<Response<api::MissSessionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::MissSessionRequest { edition_id, tandem_id, session_id, side } = &call.message;
        let (session, side) = (id("session_id", session_id)?, side_of(*side)?);
        let named = Named { edition_id, tandem_id, ..Named::default() };
        let receipt = self.act(&call, named, |_| Ok(Act::Miss(session, side))).await?;
        Ok(Response::new(api::MissSessionResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn ask_question(
        &self,
        request: Request<api::AskQuestionRequest>,
    ) -> Result<Response<api::AskQuestionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::AskQuestionRequest { edition_id, tandem_id, text, topic_id } = &call.message;
        let (question, asked_by) = (QuestionId::mint(), call.person()?);
        let creates = Some(question.uuid());
        let named =
            Named { edition_id, tandem_id, text: Some(text), topic: topic_id, creates, ..Named::default() };
        let receipt = self
            .act(&call, named, |given| {
                let (sealed_text, topic) = (given.sealed_text, topic_id.clone());
                Ok(Act::AskQuestion(Question { id: question, asked_by, sealed_text, topic }))
            })
            .await?;
        Ok(Response::new(api::AskQuestionResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn list_questions(
        &self,
        request: Request<api::ListQuestionsRequest>,
    ) -> Result<Response<api::ListQuestionsResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let named = (call.message.edition_id.as_str(), call.message.tandem_id.as_str());
        let page = Page::<i64>::of(call.message.page_size, &call.message.page_token)?;
        let mut conn = self.connection().await?;
        let series = self.read_series(&mut conn, &call, named).await?;
        let rows = content::questions(&mut *conn, series.tandem, page.after, page.fetch()).await;
        let (rows, next_page_token) = page.cut(rows.map_err(unavailable)?, |row| row.position);
        let mut questions = Vec::with_capacity(rows.len());
        for row in &rows {
            questions.push(self.shown_question(&mut conn, &series, row).await?);
        }
        Ok(Response::new(api::ListQuestionsResponse { questions, next_page_token }))
    }

    async fn agree_action(
        &self,
        request: Request<api::AgreeActionRequest>,
    ) -> Result<Response<api::AgreeActionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::AgreeActionRequest { edition_id, tandem_id, text, due_date } = &call.message;
        let due_date: Date = due_date
            .parse()
            .map_err(|_| violation("due_date", "DATE", "must be a day of the calendar, as 2013-09-01"))?;
        let (action, agreed_by) = (ActionId::mint(), call.person()?);
        let creates = Some(action.uuid());
        let named = Named { edition_id, tandem_id, text: Some(text), creates, ..Named::default() };
        let receipt = self
            .act(&call, named, |given| {
                let sealed_text = given.sealed_text;
                Ok(Act::AgreeAction(Action { id: action, agreed_by, sealed_text, due_date }))
            })
            .await?;
        Ok(Response::new(api::AgreeActionResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn complete_action(
        &self,
        request: Request<api::CompleteActionRequest>,
    ) -> Result<Response<api::CompleteActionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::CompleteActionRequest { edition_id, tandem_id, action_id } = &call.message;
        let action = id("action_id", action_id)?;
        let named = Named { edition_id, tandem_id, ..Named::default() };
        let receipt = self.act(&call, named, |_| Ok(Act::CompleteAction(action))).await?;
        Ok(Response::new(api::CompleteActionResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn list_actions(
        &self,
        request: Request<api::ListActionsRequest>,
    ) -> Result<Response<api::ListActionsResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let named = (call.message.edition_id.as_str(), call.message.tandem_id.as_str());
        let page = Page::<i64>::of(call.message.page_size, &call.message.page_token)?;
        let mut conn = self.connection().await?;
        let series = self.read_series(&mut conn, &call, named).await?;
        let rows = content::actions(&mut *conn, series.tandem, page.after, page.fetch()).await;
        let (rows, next_page_token) = page.cut(rows.map_err(unavailable)?, |row| row.position);
        let mut actions = Vec::with_capacity(rows.len());
        for row in &rows {
            actions.push(self.shown_action(&mut conn, &series, row).await?);
        }
        Ok(Response::new(api::ListActionsResponse { actions, next_page_token }))
    }

    async fn answer_pulse(
        &self,
        request: Request<api::AnswerPulseRequest>,
    ) -> Result<Response<api::AnswerPulseResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let api::AnswerPulseRequest { edition_id, tandem_id, session_id, useful, learnt, open } =
            &call.message;
        let (session, pulse) =
            (id("session_id", session_id)?, Pulse { useful: *useful, learnt: *learnt, open: *open });
        let named = Named { edition_id, tandem_id, ..Named::default() };
        let receipt =
            self.act(&call, named, |given| Ok(Act::AnswerPulse(session, given.side()?, pulse))).await?;
        Ok(Response::new(api::AnswerPulseResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn list_follow_ups(
        &self,
        request: Request<api::ListFollowUpsRequest>,
    ) -> Result<Response<api::ListFollowUpsResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let mentee = match call.scope()? {
            Scope::Own(person) => person,
            Scope::All => call.person()?,
        };
        let page = Page::<i32>::of(call.message.page_size, &call.message.page_token)?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let rows = follow_ups::page(&self.pool, edition, mentee, page.after, page.fetch()).await;
        let (rows, next_page_token) = page.cut(rows.map_err(unavailable)?, |row| row.subject.months);
        let follow_ups = rows.iter().map(shown::follow_up).collect();
        Ok(Response::new(api::ListFollowUpsResponse { follow_ups, next_page_token }))
    }

    async fn answer_follow_up(
        &self,
        request: Request<api::AnswerFollowUpRequest>,
    ) -> Result<Response<api::AnswerFollowUpResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.scope()?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let follow_up: FollowUpId = id("follow_up_id", &call.message.follow_up_id)?;
        let mut conn = self.connection().await?;
        let found = follow_ups::find(&mut *conn, follow_up).await.map_err(unavailable)?;
        let subject = found.ok_or_else(|| not_found("follow-up"))?.subject;
        call.allow(&Resource::of(subject.mentee))?;

        let rules = editions::find(&mut *conn, subject.edition).await.map_err(unavailable)?;
        drop(conn);
        let rules = rules.ok_or_else(|| not_found("edition"))?;
        for level in &call.message.levels {
            known_topic(&rules, &level.topic_id)?;
        }
        let answer = codec::answer(call.message.active, call.message.levels.clone());
        let act = follow_up::Act::Answer(rules.time_zone.to_datetime(call.now).date(), answer);
        let command = follow_up::Command { edition, act };
        let receipt = self.journal.execute::<FollowUp>(&call.context(), follow_up.uuid(), command).await;
        let receipt = receipt.map_err(refuse)?;
        Ok(Response::new(api::AnswerFollowUpResponse { receipt: boot::receipt(&receipt) }))
    }
}

fn side_of(number: i32) -> Result<Side, Status> {
    codec::side(number).ok_or_else(|| violation("side", "DEFINED_ONLY", "must be set"))
}
