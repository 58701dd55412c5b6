//! `EditionService`.

mod settings;

use boot::{Call, Page, not_found, refuse, unavailable};
use eventlog::{Begun, Receipt};
use identity::{EditionId, Resource};
use jiff::ToSpan;
use proto::enrollment as api;
use proto::enrollment::edition_service_server::EditionService;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::{date, id, today};
use crate::Enrollment;
use crate::codec::{Edition, Obligation};
use crate::domain::edition::{AgeRule, Command, Created, Revised};
use crate::domain::obligation::{Command as ObligationCommand, Key, Status as Stands};
use crate::domain::rules::Rules;
use crate::views::editions::EditionRow;
use crate::views::{birth_dates, directory, editions, obligations, tandems};

#[tonic::async_trait]
impl EditionService for Enrollment {
    async fn create_edition(
        &self,
        request: Request<api::CreateEditionRequest>,
    ) -> Result<Response<api::CreateEditionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let settings = call.message.settings.clone().unwrap_or_default();
        let receipt = self.draft(&call, None, settings).await?;
        Ok(Response::new(api::CreateEditionResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn copy_edition(
        &self,
        request: Request<api::CopyEditionRequest>,
    ) -> Result<Response<api::CopyEditionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let source = id("edition_id", &call.message.edition_id)?;
        let shown = self.edition(source).await?;
        let settings = api::EditionSettings {
            name: call.message.name.clone(),
            reference_date: call.message.reference_date.clone(),
            start_date: call.message.start_date.clone(),
            ..shown.settings.unwrap_or_default()
        };
        let receipt = self.draft(&call, Some(source), settings).await?;
        Ok(Response::new(api::CopyEditionResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn get_edition(
        &self,
        request: Request<api::GetEditionRequest>,
    ) -> Result<Response<api::GetEditionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let edition = self.edition(id("edition_id", &call.message.edition_id)?).await?;
        Ok(Response::new(api::GetEditionResponse { edition: Some(edition) }))
    }

    async fn list_editions(
        &self,
        request: Request<api::ListEditionsRequest>,
    ) -> Result<Response<api::ListEditionsResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let page = Page::<EditionId>::of(call.message.page_size, &call.message.page_token)?;
        let mut conn = self.connection().await?;
        let rows = editions::page(&mut *conn, page.after, page.fetch()).await.map_err(unavailable)?;
        let (rows, next_page_token) = page.cut(rows, |row| row.edition);
        let mut editions = Vec::with_capacity(rows.len());
        for row in &rows {
            editions.push(self.shown_edition(&mut conn, row).await?);
        }
        Ok(Response::new(api::ListEditionsResponse { editions, next_page_token }))
    }

    async fn update_edition(
        &self,
        request: Request<api::UpdateEditionRequest>,
    ) -> Result<Response<api::UpdateEditionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let edition: EditionId = id("edition_id", &call.message.edition_id)?;
        let (rules, texts) = settings::read(call.message.settings.clone().unwrap_or_default())?;
        let receipt = match self.begin(&call.context_at(&call.message.etag)?).await? {
            Begun::Replayed(first) => first,
            Begun::Work(mut work) => {
                let mut unit = work.unit();
                let sealed_texts = self.seal(unit.conn(), edition.uuid(), &texts).await?;
                let command = Command::Revise(Box::new(Revised { rules, sealed_texts }));
                let receipt = unit.execute::<Edition>(edition.uuid(), command).await.map_err(refuse)?;
                work.commit(receipt).await.map_err(unavailable)?
            }
        };
        Ok(Response::new(api::UpdateEditionResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn propose_age_rule(
        &self,
        request: Request<api::ProposeAgeRuleRequest>,
    ) -> Result<Response<api::ProposeAgeRuleResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let edition: EditionId = id("edition_id", &call.message.edition_id)?;
        let proposed = call.message.age_rule.clone().unwrap_or_default();
        let rule = AgeRule {
            maximum_age: proposed.maximum_age,
            owner: id("age_rule.owner_person_id", &proposed.owner_person_id)?,
            expiry_date: date("age_rule.expiry_date", &proposed.expiry_date)?,
            proposed_by: call.person()?,
        };
        let receipt = match self.begin(&call.context()).await? {
            Begun::Replayed(first) => first,
            Begun::Work(mut work) => {
                let mut unit = work.unit();
                let texts = settings::reasons(proposed);
                let sealed = self.seal(unit.conn(), edition.uuid(), &texts).await?;
                let command = Command::ProposeAgeRule(rule, sealed);
                let receipt = unit.execute::<Edition>(edition.uuid(), command).await.map_err(refuse)?;
                // A proposal takes the place of a rule that was released.
                birth_dates::drop_unneeded(unit.conn(), call.now).await.map_err(unavailable)?;
                work.commit(receipt).await.map_err(unavailable)?
            }
        };
        Ok(Response::new(api::ProposeAgeRuleResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn release_age_rule(
        &self,
        request: Request<api::ReleaseAgeRuleRequest>,
    ) -> Result<Response<api::ReleaseAgeRuleResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let command = Command::ReleaseAgeRule { by: call.person()? };
        let receipt = self.lead(&call, &call.message.edition_id, command).await?;
        Ok(Response::new(api::ReleaseAgeRuleResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn open_edition(
        &self,
        request: Request<api::OpenEditionRequest>,
    ) -> Result<Response<api::OpenEditionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let receipt = self.open_for_mentors(&call).await?;
        Ok(Response::new(api::OpenEditionResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn start_matching(
        &self,
        request: Request<api::StartMatchingRequest>,
    ) -> Result<Response<api::StartMatchingResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let edition = id("edition_id", &call.message.edition_id)?;
        // Nothing lapses; nobody applies any more, so that no rule needs a date of birth.
        let receipt = self.end(&call, edition, Command::StartMatching, &[]).await?;
        Ok(Response::new(api::StartMatchingResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn start_edition(
        &self,
        request: Request<api::StartEditionRequest>,
    ) -> Result<Response<api::StartEditionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let receipt = self.lead(&call, &call.message.edition_id, Command::Start).await?;
        Ok(Response::new(api::StartEditionResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn complete_edition(
        &self,
        request: Request<api::CompleteEditionRequest>,
    ) -> Result<Response<api::CompleteEditionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let edition = id("edition_id", &call.message.edition_id)?;
        // What was acknowledged may be fulfilled yet: the tandems end after the edition.
        let receipt = self.end(&call, edition, Command::Complete, &[Stands::Due]).await?;
        Ok(Response::new(api::CompleteEditionResponse { receipt: boot::receipt(&receipt) }))
    }

    async fn archive_edition(
        &self,
        request: Request<api::ArchiveEditionRequest>,
    ) -> Result<Response<api::ArchiveEditionResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let edition = id("edition_id", &call.message.edition_id)?;
        // A tandem that ended before this call has fulfilled its obligation.
        self.desk.catch_up(&self.pool).await?;
        let live_tandems = tandems::live(&self.pool, edition).await.map_err(unavailable)?;
        let open = [Stands::Due, Stands::Acknowledged];
        let receipt = self.end(&call, edition, Command::Archive { live_tandems }, &open).await?;
        Ok(Response::new(api::ArchiveEditionResponse { receipt: boot::receipt(&receipt) }))
    }
}

impl Enrollment {
    /// Drafts an edition with these settings.
    async fn draft<M>(
        &self,
        call: &Call<M>,
        copied_from: Option<EditionId>,
        settings: api::EditionSettings,
    ) -> Result<Receipt, Status> {
        let (rules, texts) = settings::read(settings)?;
        let mut work = match self.begin(&call.context()).await? {
            Begun::Replayed(first) => return Ok(first),
            Begun::Work(work) => work,
        };
        let mut unit = work.unit();
        let edition = EditionId::mint();
        let sealed_texts = self.seal(unit.conn(), edition.uuid(), &texts).await?;
        let command = Command::Create(Box::new(Created { edition, copied_from, rules, sealed_texts }));
        let receipt = unit.execute::<Edition>(edition.uuid(), command).await.map_err(refuse)?;
        work.commit(receipt).await.map_err(unavailable)
    }

    /// Carries out a command that touches nothing but the edition.
    async fn lead<M>(&self, call: &Call<M>, edition: &str, command: Command) -> Result<Receipt, Status> {
        let edition: EditionId = id("edition_id", edition)?;
        self.journal.execute::<Edition>(&call.context(), edition.uuid(), command).await.map_err(refuse)
    }

    /// Fixes the rules and obliges whom they oblige, as the directory stands now.
    async fn open_for_mentors(&self, call: &Call<api::OpenEditionRequest>) -> Result<Receipt, Status> {
        let edition: EditionId = id("edition_id", &call.message.edition_id)?;
        let mut work = match self.begin(&call.context()).await? {
            Begun::Replayed(first) => return Ok(first),
            Begun::Work(work) => work,
        };
        let mut unit = work.unit();
        let (state, _) = unit.load::<Edition>(edition.uuid()).await.map_err(unavailable)?;
        let Rules { obligation, acknowledge_days, time_zone, .. } =
            state.rules().ok_or_else(|| not_found("edition"))?;
        let people = directory::obliged(unit.conn(), obligation).await.map_err(unavailable)?;
        let obliged = i32::try_from(people.len()).unwrap_or(i32::MAX);

        // An edition that was open before has obliged whom it obliges.
        if state.is_draft() {
            let due_date = today(call.now, time_zone)?.saturating_add(acknowledge_days.days());
            for person in people {
                let key = Key::of(edition, person);
                let raise = ObligationCommand::Raise { key, due_date };
                unit.execute::<Obligation>(key.obligation.uuid(), raise).await.map_err(refuse)?;
            }
        }
        // What follows came first, so that the receipt of the command covers it.
        let opened = unit.execute::<Edition>(edition.uuid(), Command::Open { obliged }).await;
        work.commit(opened.map_err(refuse)?).await.map_err(unavailable)
    }

    /// Ends a part of an edition's life: what is still open lapses, and what no rule needs any more is deleted.
    async fn end<M>(
        &self,
        call: &Call<M>,
        edition: EditionId,
        command: Command,
        lapsing: &[Stands],
    ) -> Result<Receipt, Status> {
        let mut work = match self.begin(&call.context()).await? {
            Begun::Replayed(first) => return Ok(first),
            Begun::Work(work) => work,
        };
        let mut unit = work.unit();
        for obligation in obligations::standing(unit.conn(), edition, lapsing).await.map_err(unavailable)? {
            let lapsed = unit.execute::<Obligation>(obligation.uuid(), ObligationCommand::Lapse).await;
            lapsed.map_err(refuse)?;
        }
        // What follows came first, so that the receipt of the command covers it.
        let ended = unit.execute::<Edition>(edition.uuid(), command).await.map_err(refuse)?;
        birth_dates::drop_unneeded(unit.conn(), call.now).await.map_err(unavailable)?;
        work.commit(ended).await.map_err(unavailable)
    }

    async fn edition(&self, edition: EditionId) -> Result<api::Edition, Status> {
        let mut conn = self.connection().await?;
        let found = editions::find(&mut *conn, edition).await.map_err(unavailable)?;
        let row = found.ok_or_else(|| not_found("edition"))?;
        self.shown_edition(&mut conn, &row).await
    }

    async fn shown_edition(&self, conn: &mut PgConnection, row: &EditionRow) -> Result<api::Edition, Status> {
        let key = row.edition.uuid();
        let texts = self.vault.open(conn, key, &row.sealed_texts).await.map_err(unavailable)?;
        let reasons = match &row.age_rule {
            Some(kept) => self.vault.open(conn, key, &kept.sealed_texts).await.map_err(unavailable)?,
            None => None,
        };
        settings::shown(row, &texts.unwrap_or_default(), &reasons.unwrap_or_default())
    }
}
