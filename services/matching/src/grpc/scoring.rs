//! Scoring rules: set, read, and tried out beside those in force.

use boot::{Page, not_found, refuse, unavailable};
use eventlog::CommandError;
use identity::{EditionId, Resource};
use proto::matching as api;
use proto::matching::scoring_service_server::ScoringService;
use proto::{Violation, status, time};
use tonic::{Request, Response, Status};

use super::explanations::figures;
use super::{Answer, id, runs};
use crate::Matching;
use crate::codec::{self, Document};
use crate::domain::comparison::{self, Comparison, Effect};
use crate::domain::document::{Command, Origin};
use crate::domain::frozen::Frozen;
use crate::domain::scoring::{Scoring, ScoringRules, Unsound};
use crate::domain::solution::{Unsolvable, count};
use crate::views::editions;
use crate::views::scoring::{self, ScoringRow};

#[tonic::async_trait]
impl ScoringService for Matching {
    async fn set_scoring_rules(
        &self,
        request: Request<api::SetScoringRulesRequest>,
    ) -> Answer<api::SetScoringRulesResponse> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let edition: EditionId = id("edition_id", &call.message.edition_id)?;
        let rules = read(call.message.rules.as_ref())?;
        let found = editions::find(&self.pool, edition).await.map_err(unavailable)?;
        let phase = found.ok_or_else(|| not_found("edition"))?.phase;
        let command = Command { edition, phase, rules, origin: Origin::Set(call.person()?) };
        let context = call.context_at(&call.message.etag)?;
        let receipt = self.journal.execute::<Document>(&context, edition.uuid(), command).await;
        let receipt = boot::receipt(&receipt.map_err(refuse)?);
        Ok(Response::new(api::SetScoringRulesResponse { receipt }))
    }

    async fn get_scoring_rules(
        &self,
        request: Request<api::GetScoringRulesRequest>,
    ) -> Answer<api::GetScoringRulesResponse> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let edition = id("edition_id", &call.message.edition_id)?;
        self.require_edition(edition).await?;
        let row = scoring::latest(&self.pool, edition).await.map_err(unavailable)?;
        let scoring = row.map_or_else(|| shown(edition, &Scoring::default()), |row| shown_row(edition, &row));
        Ok(Response::new(api::GetScoringRulesResponse { scoring: Some(scoring) }))
    }

    async fn list_scoring_rules(
        &self,
        request: Request<api::ListScoringRulesRequest>,
    ) -> Answer<api::ListScoringRulesResponse> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::public())?;
        let page = Page::<i32>::of(call.message.page_size, &call.message.page_token)?;
        let edition = id("edition_id", &call.message.edition_id)?;
        self.require_edition(edition).await?;
        let rows = scoring::page(&self.pool, edition, page.after, page.fetch()).await.map_err(unavailable)?;
        let (rows, next_page_token) = page.cut(rows, |row| row.scoring.version);
        let versions = rows.iter().map(|row| shown_row(edition, row)).collect();
        Ok(Response::new(api::ListScoringRulesResponse { versions, next_page_token }))
    }

    async fn compare_scoring_rules(
        &self,
        request: Request<api::CompareScoringRulesRequest>,
    ) -> Answer<api::CompareScoringRulesResponse> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let rules = read(call.message.rules.as_ref())?;
        let wishes = runs::wishes(&call.message.locks, &call.message.forbids)?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let inputs = self.inputs(edition, call.now);
        let compared = self.off_thread(&call.gone, "compare", inputs, move |(_, inputs), progress| {
            let current_version = inputs.scoring.version;
            let mut others = inputs.clone();
            others.scoring.rules = rules;
            let current = Frozen::assess(String::new(), inputs, progress)?;
            let proposed = Frozen::assess(String::new(), others, progress)?;
            Ok((comparison::compare(&current, &proposed, &wishes, progress)?, current_version))
        });
        let compared: Result<_, Unsolvable> = compared.await?;
        let (Comparison { current, proposed, effects }, current_version) =
            compared.map_err(|error| refuse(CommandError::Rejected(error)))?;
        let with = |better: fn(i32) -> bool| effects.iter().filter(|effect| better(effect.gain())).count();
        Ok(Response::new(api::CompareScoringRulesResponse {
            current: Some(figures(&current)),
            proposed: Some(figures(&proposed)),
            current_version,
            gain_count: count(with(|gain| gain > 0)),
            loss_count: count(with(|gain| gain < 0)),
            effects: effects.iter().map(shown_effect).collect(),
        }))
    }
}

impl Matching {
    async fn require_edition(&self, edition: EditionId) -> Result<(), Status> {
        let found = editions::find(&self.pool, edition).await.map_err(unavailable)?;
        found.map(drop).ok_or_else(|| not_found("edition"))
    }
}

/// Scoring rules, or each field that makes them unsound.
fn read(rules: Option<&api::ScoringRules>) -> Result<ScoringRules, Status> {
    let rules = rules.cloned().unwrap_or_default();
    codec::scoring_rules(&rules).map_err(|unsound| status::invalid(unsound.iter().map(violation).collect()))
}

fn violation(unsound: &Unsound) -> Violation {
    let (field, code) = match unsound {
        Unsound::Weight { criterion, .. } => (format!("rules.weights.{}", criterion.name()), "RANGE"),
        Unsound::Sum(_) => ("rules.weights".to_owned(), "SUM"),
        Unsound::Band { index, .. } => (format!("rules.bands[{index}]"), "ASCENDING"),
        Unsound::TooManyBands(_) => ("rules.bands".to_owned(), "MAX_ITEMS"),
    };
    Violation { field, code, message: unsound.to_string() }
}

fn shown(edition: EditionId, scoring: &Scoring) -> api::Scoring {
    api::Scoring {
        edition_id: edition.to_string(),
        version: scoring.version,
        rules: Some(codec::scoring_rules_to_proto(&scoring.rules)),
        etag: scoring.version.to_string(),
        ..api::Scoring::default()
    }
}

fn shown_row(edition: EditionId, row: &ScoringRow) -> api::Scoring {
    api::Scoring {
        valid_from: Some(time::to_proto(row.valid_from)),
        set_by_person_id: row.set_by.map(|person| person.to_string()).unwrap_or_default(),
        ..shown(edition, &row.scoring)
    }
}

fn shown_effect(effect: &Effect) -> api::ScoringEffect {
    use api::scoring_effect::Outcome;
    let outcome = match effect.gain() {
        gain if gain > 0 => Outcome::Gains,
        0 => Outcome::Even,
        _ => Outcome::Loses,
    };
    let (before, after) = (effect.before.unzip(), effect.after.unzip());
    api::ScoringEffect {
        mentee_person_id: effect.mentee.to_string(),
        mentor_before_person_id: before.0.map(|mentor| mentor.to_string()).unwrap_or_default(),
        mentor_after_person_id: after.0.map(|mentor| mentor.to_string()).unwrap_or_default(),
        score_before: before.1.unwrap_or_default(),
        score_after: after.1.unwrap_or_default(),
        score_before_by_proposed: effect.before_by_proposed,
        outcome: outcome.into(),
    }
}
