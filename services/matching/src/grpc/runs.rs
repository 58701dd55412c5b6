//! Match runs: computed, looked at, published.

use assignment::Progress;
use boot::{Call, Gone, Page, not_found, refuse, unavailable};
use eventlog::{Begun, Context, Receipt, Unit};
use identity::{EditionId, MatchRunId, Resource};
use jiff::Timestamp;
use proto::matching as api;
use proto::time;
use tonic::{Request, Status};

use super::{hold_edition, id, violation};
use crate::codec::{self, Run, Tandem};
use crate::domain::frozen::Frozen;
use crate::domain::inputs::Inputs;
use crate::domain::run::{Action, Command, Key, Known, Status as Stands};
use crate::domain::solution::{self, Staged, Unsolvable, Wishes};
use crate::domain::tandem;
use crate::views::editions::EditionRow;
use crate::views::runs::{self, RunRow};
use crate::views::{Views, editions, inputs};
use crate::{Matching, kept};

impl Matching {
    pub(super) async fn create_run(
        &self,
        request: Request<api::CreateMatchRunRequest>,
    ) -> Result<api::CreateMatchRunResponse, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let wishes = wishes(&call.message.locks, &call.message.forbids)?;
        let key = Key { run: MatchRunId::mint(), edition };
        let receipt = self.compute(&call.gone, &call.context(), key, wishes, false).await?;
        Ok(api::CreateMatchRunResponse { receipt: boot::receipt(&receipt) })
    }

    pub(super) async fn revise_run(
        &self,
        request: Request<api::ReviseMatchRunRequest>,
    ) -> Result<api::ReviseMatchRunResponse, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let key = key(&call.message.match_run_id, &call.message.edition_id)?;
        let wishes = wishes(&call.message.locks, &call.message.forbids)?;
        let context = call.context_at(&call.message.etag)?;
        let receipt = self.compute(&call.gone, &context, key, wishes, true).await?;
        Ok(api::ReviseMatchRunResponse { receipt: boot::receipt(&receipt) })
    }

    pub(super) async fn review_run(
        &self,
        request: Request<api::ReviewMatchRunRequest>,
    ) -> Result<api::ReviewMatchRunResponse, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let key = key(&call.message.match_run_id, &call.message.edition_id)?;
        let found = editions::find(&self.pool, key.edition).await.map_err(unavailable)?;
        let phase = found.ok_or_else(|| not_found("edition"))?.phase;
        let command = Command { key, phase, action: Action::Review(call.person()?) };
        let context = call.context_at(&call.message.etag)?;
        let receipt = self.journal.execute::<Run>(&context, key.run.uuid(), command).await;
        Ok(api::ReviewMatchRunResponse { receipt: boot::receipt(&receipt.map_err(refuse)?) })
    }

    pub(super) async fn publish_run(
        &self,
        request: Request<api::PublishMatchRunRequest>,
    ) -> Result<api::PublishMatchRunResponse, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        self.desk.catch_up(&self.pool).await?;
        let context = call.context_at(&call.message.etag)?;
        let receipt = match self.begin(&context).await? {
            Begun::Replayed(first) => first,
            Begun::Work(mut work) => {
                let receipt = publish(&mut work.unit(), &call).await?;
                work.commit(receipt).await.map_err(unavailable)?
            }
        };
        Ok(api::PublishMatchRunResponse { receipt: boot::receipt(&receipt) })
    }

    pub(super) async fn get_run(
        &self,
        request: Request<api::GetMatchRunRequest>,
    ) -> Result<api::GetMatchRunResponse, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let key = key(&call.message.match_run_id, &call.message.edition_id)?;
        let (known, version) = self.run(key).await?;
        let row = runs::find(&self.pool, key.run).await.map_err(unavailable)?;
        let computed_at = row.ok_or_else(|| not_found("match run"))?.computed_at;
        Ok(api::GetMatchRunResponse { match_run: Some(shown_in_full(&known, computed_at, version)) })
    }

    pub(super) async fn list_runs(
        &self,
        request: Request<api::ListMatchRunsRequest>,
    ) -> Result<api::ListMatchRunsResponse, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let page = Page::<MatchRunId>::of(call.message.page_size, &call.message.page_token)?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let rows = runs::page(&self.pool, edition, page.after, page.fetch()).await.map_err(unavailable)?;
        let (rows, next_page_token) = page.cut(rows, |row| row.key.run);
        let match_runs = rows.into_iter().map(shown).collect();
        Ok(api::ListMatchRunsResponse { match_runs, next_page_token })
    }

    /// Computes the best set of tandems for what is known now, and records it together with what it was computed from.
    async fn compute(
        &self,
        gone: &Gone,
        context: &Context,
        key: Key,
        wishes: Wishes,
        again: bool,
    ) -> Result<Receipt, Status> {
        if let Some(first) = self.may_compute(context, key, again).await? {
            return Ok(first);
        }
        let inputs = self.inputs(key.edition, context.now);
        let computed = self.off_thread(gone, "solve", inputs, move |(edition, inputs), progress| {
            (edition.phase, solve(inputs, wishes, progress))
        });
        let (phase, computed) = computed.await?;
        let (frozen, result) = match computed {
            Ok((frozen, staged)) => (Some(frozen), Ok(staged)),
            Err(unsolvable) => (None, Err(unsolvable)),
        };
        let action = if again { Action::Revise(result) } else { Action::Stage(result) };
        let command = Command { key, phase, action };
        let mut work = match self.begin(context).await? {
            Begun::Replayed(first) => return Ok(first),
            Begun::Work(work) => work,
        };
        let mut unit = work.unit();
        let receipt = unit.execute::<Run>(key.run.uuid(), command).await.map_err(refuse)?;
        if let Some(frozen) = frozen {
            kept::keep(unit.conn(), &frozen).await.map_err(unavailable)?;
        }
        work.commit(receipt).await.map_err(unavailable)
    }

    /// Refuses before it is computed what would be refused afterwards; the receipt if it was carried out before.
    async fn may_compute(&self, context: &Context, key: Key, again: bool) -> Result<Option<Receipt>, Status> {
        self.desk.catch_up(&self.pool).await?;
        let found = editions::find(&self.pool, key.edition).await.map_err(unavailable)?;
        let phase = found.ok_or_else(|| not_found("edition"))?.phase;
        let mut work = match self.begin(context).await? {
            Begun::Replayed(first) => return Ok(Some(first)),
            Begun::Work(work) => work,
        };
        let command = Command { key, phase, action: Action::Compute { again } };
        let allowed = work.unit().execute::<Run>(key.run.uuid(), command).await;
        // The idempotency key is claimed for good when there is something to record.
        work.rollback().await;
        allowed.map_err(refuse)?;
        Ok(None)
    }

    /// What is known now of an edition and its people.
    pub(super) async fn inputs(
        &self,
        edition: EditionId,
        now: Timestamp,
    ) -> Result<(EditionRow, Inputs), Status> {
        // An acceptance that was answered before this call counts.
        self.desk.catch_up(&self.pool).await?;
        let mut conn = self.connection().await?;
        let found = editions::find(&mut *conn, edition).await.map_err(unavailable)?;
        let edition = found.ok_or_else(|| not_found("edition"))?;
        let today = edition.settings.today(now);
        let inputs = inputs::of_run(&mut conn, &edition, today).await.map_err(unavailable)?;
        Ok((edition, inputs))
    }

    /// A run as it was staged last, with its version.
    pub(super) async fn run(&self, key: Key) -> Result<(Known, i64), Status> {
        let (state, version) = self.journal.load::<Run>(key.run.uuid()).await.map_err(unavailable)?;
        let known = state.known().filter(|known| known.key == key).ok_or_else(|| not_found("match run"))?;
        Ok((known, version))
    }
}

fn solve(inputs: Inputs, wishes: Wishes, progress: &Progress) -> Result<(Frozen, Box<Staged>), Unsolvable> {
    let frozen = Frozen::assess(codec::freeze(&inputs).digest, inputs, progress)?;
    let staged = solution::solve(&frozen, wishes, progress)?;
    Ok((frozen, Box::new(staged)))
}

/// Publishes a reviewed run and offers its tandems, if what it was computed from is still so.
async fn publish(
    unit: &mut Unit<'_, Views>,
    call: &Call<api::PublishMatchRunRequest>,
) -> Result<Receipt, Status> {
    let key = key(&call.message.match_run_id, &call.message.edition_id)?;
    let edition = hold_edition(unit.conn(), key.edition).await?;
    let (state, _) = unit.load::<Run>(key.run.uuid()).await.map_err(unavailable)?;
    let staged = state.known().filter(|known| known.key == key).map(|known| known.staged);
    let digest = staged.map(|staged| staged.inputs_digest).unwrap_or_default();
    let today = edition.settings.today(call.now);
    let inputs = inputs::of_run(unit.conn(), &edition, today).await.map_err(unavailable)?;
    let changes = kept::changes(unit.conn(), &digest, &inputs).await.map_err(unavailable)?;
    let action = Action::Publish { by: call.person()?, changes };
    let command = Command { key, phase: edition.phase, action };
    let receipt = unit.execute::<Run>(key.run.uuid(), command).await.map_err(refuse)?;

    let (state, _) = unit.load::<Run>(key.run.uuid()).await.map_err(unavailable)?;
    let pairs = state.known().map(|known| known.staged.pairs).unwrap_or_default();
    let answer_by = edition.settings.answer_by(call.now);
    let mut position = receipt.position;
    for proposed in pairs {
        let tandem = tandem::Key::of_run(key.run, key.edition, proposed.pair);
        let (pair, points) = (proposed.pair, proposed.points);
        let offer = tandem::Offer { pair, run: Some(key.run), repair: None, points, answer_by };
        let command = tandem::Command { key: tandem, action: tandem::Action::Publish(offer) };
        let offered = unit.execute::<Tandem>(tandem.tandem.uuid(), command).await.map_err(refuse)?;
        position = position.max(offered.position);
    }
    Ok(Receipt { position, ..receipt })
}

pub(super) fn key(run: &str, edition: &str) -> Result<Key, Status> {
    Ok(Key { run: id("match_run_id", run)?, edition: id("edition_id", edition)? })
}

pub(super) fn wishes(locks: &[api::Pair], forbids: &[api::Pair]) -> Result<Wishes, Status> {
    codec::wishes(locks, forbids).ok_or_else(|| violation("locks", "UUID", "must name people by UUID"))
}

fn shown(row: RunRow) -> api::MatchRun {
    api::MatchRun {
        match_run_id: row.key.run.to_string(),
        edition_id: row.key.edition.to_string(),
        state: state(row.status).into(),
        inputs_digest: row.inputs_digest,
        mentee_count: row.mentee_count,
        place_count: row.place_count,
        pair_count: row.pair_count,
        score: row.score,
        blocking_pair_count: row.blocking_pair_count,
        create_time: Some(time::to_proto(row.computed_at)),
        etag: row.version.to_string(),
        ..api::MatchRun::default()
    }
}

fn shown_in_full(known: &Known, computed_at: Timestamp, version: i64) -> api::MatchRun {
    let Known { key, status, staged } = known;
    let (locks, forbids) = codec::wishes_to_proto(&staged.wishes);
    api::MatchRun {
        match_run_id: key.run.to_string(),
        edition_id: key.edition.to_string(),
        state: state(*status).into(),
        inputs_digest: staged.inputs_digest.clone(),
        mentee_count: staged.mentee_count,
        place_count: staged.place_count,
        pair_count: i32::try_from(staged.pairs.len()).unwrap_or(i32::MAX),
        score: staged.score(),
        blocking_pair_count: staged.blocking_pair_count,
        pairs: staged.pairs.iter().map(codec::proposed_to_proto).collect(),
        unmatched: staged.unmatched.iter().map(codec::unmatched_to_proto).collect(),
        certificate: Some(codec::certificate_to_proto(&staged.certificate)),
        locks,
        forbids,
        create_time: Some(time::to_proto(computed_at)),
        etag: version.to_string(),
        scoring_version: staged.scoring_version,
        band_counts: band_counts(staged.band_counts()),
    }
}

pub(super) fn band_counts(counts: impl IntoIterator<Item = (u16, usize)>) -> Vec<api::BandCount> {
    let shown = |(below, pairs): (u16, usize)| api::BandCount {
        below: below.into(),
        pair_count: i32::try_from(pairs).unwrap_or(i32::MAX),
    };
    counts.into_iter().map(shown).collect()
}

fn state(status: Stands) -> api::match_run::State {
    use api::match_run::State;
    match status {
        Stands::Staged => State::Staged,
        Stands::Reviewed => State::Reviewed,
        Stands::Published => State::Published,
    }
}
