//! Tandems: proposed, answered, dissolved.

use boot::{Call, Page, not_found, refuse, unavailable};
use eventlog::{Begun, CommandError, Context, Receipt};
use identity::{PersonId, Resource, Scope, TandemId};
use proto::matching as api;
use proto::time;
use tonic::{Request, Status};

use super::{hold_edition, id};
use crate::codec::{self, Tandem};
use crate::domain::tandem::{Action, Asking, Command, Key, Need, Proposal, Rejection, Status as Stands};
use crate::domain::{Pair, Side};
use crate::views::inputs::{self, Two};
use crate::views::tandems::{self, TandemRow};
use crate::views::{editions, runs};
use crate::{Matching, answer};

/// How often an answer is tried that loses a race.
const ATTEMPTS: u32 = 3;

impl Matching {
    pub(super) async fn propose(
        &self,
        request: Request<api::ProposeTandemRequest>,
    ) -> Result<api::ProposeTandemResponse, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        self.desk.catch_up(&self.pool).await?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let pair = Pair {
            mentor: id("mentor_person_id", &call.message.mentor_person_id)?,
            mentee: id("mentee_person_id", &call.message.mentee_person_id)?,
        };
        let receipt = match self.begin(&call.context()).await? {
            Begun::Replayed(first) => first,
            Begun::Work(mut work) => {
                let mut unit = work.unit();
                let held = hold_edition(unit.conn(), edition).await?;
                let two = inputs::of_two(unit.conn(), &held, pair).await.map_err(unavailable)?;
                let Two { assessed, offered_already, places_left } = two;
                let (phase, answer_by) = (held.phase, held.settings.answer_by(call.now));
                let proposal = Proposal { pair, phase, assessed, offered_already, places_left, answer_by };
                let key = Key { tandem: TandemId::mint(), edition };
                let command = Command { key, action: Action::Propose(Box::new(proposal)) };
                let receipt = unit.execute::<Tandem>(key.tandem.uuid(), command).await;
                work.commit(receipt.map_err(refuse)?).await.map_err(unavailable)?
            }
        };
        Ok(api::ProposeTandemResponse { receipt: boot::receipt(&receipt) })
    }

    pub(super) async fn get(
        &self,
        request: Request<api::GetTandemRequest>,
    ) -> Result<api::GetTandemResponse, Status> {
        let call = self.desk.receive(request).await?;
        call.scope()?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let tandem = id("tandem_id", &call.message.tandem_id)?;
        let found = tandems::find(&self.pool, tandem).await.map_err(unavailable)?;
        let row = found.filter(|row| row.key.edition == edition).ok_or_else(|| not_found("tandem"))?;
        call.allow(&Resource::between(&[row.pair.mentor, row.pair.mentee]))?;
        Ok(api::GetTandemResponse { tandem: Some(shown(&row, call.caller.person)) })
    }

    pub(super) async fn list(
        &self,
        request: Request<api::ListTandemsRequest>,
    ) -> Result<api::ListTandemsResponse, Status> {
        let call = self.desk.receive(request).await?;
        let person = match call.scope()? {
            Scope::All => None,
            Scope::Own(person) => Some(person),
        };
        let page = Page::<TandemId>::of(call.message.page_size, &call.message.page_token)?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let rows = tandems::page(&self.pool, edition, person, page.after, page.fetch()).await;
        let (rows, next_page_token) = page.cut(rows.map_err(unavailable)?, |row| row.key.tandem);
        let tandems = rows.iter().map(|row| shown(row, call.caller.person)).collect();
        Ok(api::ListTandemsResponse { tandems, next_page_token })
    }

    pub(super) async fn accept(
        &self,
        request: Request<api::AcceptTandemRequest>,
    ) -> Result<api::AcceptTandemResponse, Status> {
        let call = self.desk.receive(request).await?;
        let key = key(&call.message.tandem_id, &call.message.edition_id)?;
        let side = self.own_side(&call, key.tandem).await?;
        let receipt = self.answer(&call, key, Action::Accept { side, now: call.now }).await?;
        Ok(api::AcceptTandemResponse { receipt: boot::receipt(&receipt) })
    }

    pub(super) async fn ask(
        &self,
        request: Request<api::AskAboutTandemRequest>,
    ) -> Result<api::AskAboutTandemResponse, Status> {
        let call = self.desk.receive(request).await?;
        let key = key(&call.message.tandem_id, &call.message.edition_id)?;
        let side = self.own_side(&call, key.tandem).await?;
        let need = codec::need(call.message.need()).ok_or_else(|| not_found("need"))?;
        let edition = editions::find(&self.pool, key.edition).await.map_err(unavailable)?;
        let settings = edition.ok_or_else(|| not_found("edition"))?.settings;
        let row = tandems::find(&self.pool, key.tandem).await.map_err(unavailable)?;
        let answer_by = settings.put_off(row.ok_or_else(|| not_found("tandem"))?.answer_by);
        let released_by = runs::released_by(&self.pool, key.edition).await.map_err(unavailable)?;
        let asking = Asking { side, need, answer_by, released_by };
        let receipt = self.answer(&call, key, Action::Ask { asking, now: call.now }).await?;
        Ok(api::AskAboutTandemResponse { receipt: boot::receipt(&receipt) })
    }

    pub(super) async fn veto(
        &self,
        request: Request<api::VetoTandemRequest>,
    ) -> Result<api::VetoTandemResponse, Status> {
        let call = self.desk.receive(request).await?;
        let key = key(&call.message.tandem_id, &call.message.edition_id)?;
        let side = self.own_side(&call, key.tandem).await?;
        let receipt = self.answer(&call, key, Action::Veto(side)).await?;
        Ok(api::VetoTandemResponse { receipt: boot::receipt(&receipt) })
    }

    pub(super) async fn decline(
        &self,
        request: Request<api::DeclineTandemRequest>,
    ) -> Result<api::DeclineTandemResponse, Status> {
        let call = self.desk.receive(request).await?;
        let key = key(&call.message.tandem_id, &call.message.edition_id)?;
        let side = self.own_side(&call, key.tandem).await?;
        let receipt = self.answer(&call, key, Action::Decline(side)).await?;
        Ok(api::DeclineTandemResponse { receipt: boot::receipt(&receipt) })
    }

    pub(super) async fn dissolve(
        &self,
        request: Request<api::DissolveTandemRequest>,
    ) -> Result<api::DissolveTandemResponse, Status> {
        let call = self.desk.receive(request).await?;
        let key = key(&call.message.tandem_id, &call.message.edition_id)?;
        let side = self.own_side(&call, key.tandem).await?;
        let (author, never_again) = (call.person()?.uuid(), call.message.never_again);
        let receipt = match self.begin(&call.context()).await? {
            Begun::Replayed(first) => first,
            Begun::Work(mut work) => {
                let mut unit = work.unit();
                let reason = call.message.reason.as_bytes();
                let sealed_reason = if reason.is_empty() {
                    Vec::new()
                } else {
                    self.vault.seal(unit.conn(), author, reason).await.map_err(unavailable)?
                };
                let action = Action::Dissolve { side, never_again, sealed_reason };
                let receipt = answer::carry_out(&mut unit, Command { key, action }).await;
                work.commit(receipt.map_err(refuse)?).await.map_err(unavailable)?
            }
        };
        Ok(api::DissolveTandemResponse { receipt: boot::receipt(&receipt) })
    }

    /// The side of a tandem on which the caller stands.
    async fn own_side<M>(&self, call: &Call<M>, tandem: TandemId) -> Result<Side, Status> {
        call.scope()?;
        let found = tandems::find(&self.pool, tandem).await.map_err(unavailable)?;
        let pair = found.ok_or_else(|| not_found("tandem"))?.pair;
        call.allow(&Resource::between(&[pair.mentor, pair.mentee]))?;
        pair.side_of(call.person()?).ok_or_else(|| not_found("tandem"))
    }

    /// Carries out what a side answers, together with the places; again if it loses a race against what happens elsewhere.
    async fn answer<M>(&self, call: &Call<M>, key: Key, action: Action) -> Result<Receipt, Status> {
        let (context, command) = (call.context(), Command { key, action });
        for _ in 1..ATTEMPTS {
            match self.attempt(&context, &command).await {
                Err(CommandError::Conflict) => {}
                answer => return answer.map_err(refuse),
            }
        }
        self.attempt(&context, &command).await.map_err(refuse)
    }

    async fn attempt(
        &self,
        context: &Context,
        command: &Command,
    ) -> Result<Receipt, CommandError<Rejection>> {
        match self.journal.begin(context).await? {
            Begun::Replayed(first) => Ok(first),
            Begun::Work(mut work) => {
                match answer::carry_out(&mut work.unit(), command.clone()).await {
                    Ok(receipt) => Ok(work.commit(receipt).await?),
                    // The next attempt needs the idempotency key at once.
                    Err(error) => {
                        work.rollback().await;
                        Err(error)
                    }
                }
            }
        }
    }
}

fn key(tandem: &str, edition: &str) -> Result<Key, Status> {
    Ok(Key { tandem: id("tandem_id", tandem)?, edition: id("edition_id", edition)? })
}

/// A tandem as a caller sees it: partners are told neither each other's wishes nor what the other has asked the office.
fn shown(row: &TandemRow, caller: Option<PersonId>) -> api::Tandem {
    let seen_from = caller.and_then(|person| row.pair.side_of(person));
    let points = seen_from.map_or(row.points, |side| row.points.seen_from(side));
    let need_of = |side, need: Option<Need>| need.filter(|_| seen_from.is_none_or(|own| own == side));
    api::Tandem {
        tandem_id: row.key.tandem.to_string(),
        edition_id: row.key.edition.to_string(),
        mentor_person_id: row.pair.mentor.to_string(),
        mentee_person_id: row.pair.mentee.to_string(),
        state: state(row.status).into(),
        mentor_accepted: row.mentor_accepted,
        mentee_accepted: row.mentee_accepted,
        answer_by: Some(time::to_proto(row.answer_by)),
        score: points.score(),
        points: Some(codec::points_to_proto(points)),
        flagged: row.flagged,
        etag: row.version.to_string(),
        mentor_need: codec::need_to_proto(need_of(Side::Mentor, row.mentor_need)).into(),
        mentee_need: codec::need_to_proto(need_of(Side::Mentee, row.mentee_need)).into(),
        repair_id: row.repair.map(|repair| repair.to_string()).unwrap_or_default(),
    }
}

fn state(status: Stands) -> api::tandem::State {
    use api::tandem::State;
    match status {
        Stands::Published => State::Published,
        Stands::Active => State::Active,
        Stands::Completed => State::Completed,
        Stands::Dissolved => State::Dissolved,
        Stands::Expired => State::Expired,
        Stands::Withdrawn => State::Withdrawn,
    }
}
