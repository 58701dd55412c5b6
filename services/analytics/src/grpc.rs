//! Reports over gRPC.

use std::collections::BTreeMap;

use boot::{Desk, not_found, unavailable};
use identity::{EditionId, Resource};
use jiff::Timestamp;
use proto::analytics as a;
use proto::analytics::analytics_service_server::AnalyticsService;
use sqlx::{PgPool, Postgres, Transaction};
use tonic::{Request, Response, Status};

use crate::domain::anonymity;
use crate::domain::cadence::Outcome;
use crate::domain::consistency::Consistency;
use crate::views::{self, Edition, GridTandem};

/// Answers with reports.
#[derive(Clone)]
pub(crate) struct Reports {
    pub(crate) desk: Desk,
    pub(crate) pool: PgPool,
}

#[tonic::async_trait]
impl AnalyticsService for Reports {
    async fn get_report(
        &self,
        request: Request<a::GetReportRequest>,
    ) -> Result<Response<a::GetReportResponse>, Status> {
        let call = self.desk.receive(request).await?;
        // Whoever may read no report is not told whether the edition exists.
        call.allow(&Resource::public())?;
        let id = edition_id(&call.message.edition_id)?;
        let (mut snapshot, edition) = self.look(id).await?;
        // Its completion publishes the report of an edition; before, it is for those who may read every report.
        let reach = if edition.completed { Resource::public() } else { Resource::everything() };
        call.allow(&reach)?;
        let mut report = report(&mut snapshot, id, &edition, call.now).await.map_err(unavailable)?;
        // Whoever may see the grid knows who met; for everybody else there must be enough of them.
        if !call.could("GetCadenceGrid", &Resource::everything()) {
            withhold_meetings(&mut report);
        }
        Ok(Response::new(a::GetReportResponse { report: Some(report) }))
    }

    async fn get_cadence_grid(
        &self,
        request: Request<a::GetCadenceGridRequest>,
    ) -> Result<Response<a::GetCadenceGridResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let id = edition_id(&call.message.edition_id)?;
        let (mut snapshot, edition) = self.look(id).await?;
        let tandems = views::grid(&mut snapshot, id).await.map_err(unavailable)?;
        let grid = a::CadenceGrid {
            edition_id: id.to_string(),
            rows: tandems.iter().map(|tandem| row(tandem, edition.months, call.now)).collect(),
            freshness: Some(freshness(&edition)),
        };
        Ok(Response::new(a::GetCadenceGridResponse { cadence_grid: Some(grid) }))
    }
}

impl Reports {
    /// Opens one moment of the tables, so that the numbers of a report fit each other.
    async fn look(&self, id: EditionId) -> Result<(Transaction<'static, Postgres>, Edition), Status> {
        let mut snapshot = self
            .pool
            .begin_with("begin transaction isolation level repeatable read, read only")
            .await
            .map_err(unavailable)?;
        let edition = views::edition(&mut snapshot, id).await.map_err(unavailable)?;
        Ok((snapshot, edition.ok_or_else(|| not_found("edition"))?))
    }
}

fn edition_id(text: &str) -> Result<EditionId, Status> {
    text.parse().map_err(|_| not_found("edition"))
}

fn freshness(edition: &Edition) -> proto::api::Freshness {
    proto::api::Freshness { position: edition.position }
}

async fn report(
    snapshot: &mut Transaction<'static, Postgres>,
    id: EditionId,
    edition: &Edition,
    now: Timestamp,
) -> Result<a::Report, eventlog::BoxError> {
    let k = edition.anonymity_k;
    let executives = views::executives(snapshot, id, edition).await?;
    let counted = Consistency::at(now, &edition.month_bounds()?, &executives);
    let obligations = views::obligations(snapshot, id).await?;
    let whole = i32::try_from(executives.len())?;
    let persistence = views::persistence(snapshot, id).await?;
    Ok(a::Report {
        edition_id: id.to_string(),
        funnel: Some(funnel(&views::funnel(snapshot, id).await?)),
        obligations: Some(obligation_counts(&obligations)),
        consistency: Some(consistency(counted)),
        cancellations: Some(cancellations(&views::cancellations(snapshot, id).await?)),
        topics: views::topics(snapshot, id).await?.iter().map(|topic| coverage(topic, k)).collect(),
        self_assessments: views::self_assessments(snapshot, id)
            .await?
            .iter()
            .map(|assessed| self_assessment(assessed, k))
            .collect(),
        persistence: persistence.iter().map(|row| persisting(row, whole, k)).collect(),
        anonymity_k: k,
        as_of: Some(proto::time::to_proto(now)),
        freshness: Some(freshness(edition)),
    })
}

/// Leaves out what happened in the meetings if they were those of a small group.
fn withhold_meetings(report: &mut a::Report) {
    let executives = report.obligations.as_ref().map_or(0, |counted| counted.obliged - counted.excused);
    if !anonymity::tells_nobody_apart(executives, report.anonymity_k) {
        report.consistency = None;
        report.cancellations = None;
    }
}

fn funnel(counts: &views::Counts) -> a::Funnel {
    let count = |name: &str| counts.get(name).copied().unwrap_or_default();
    a::Funnel {
        applied: count("applied"),
        asked_back: count("asked_back"),
        accepted: count("ever_accepted"),
        waitlisted: count("waitlisted"),
        declined: count("declined"),
        withdrawn: count("withdrawn"),
        proposed: count("proposed"),
        activated: count("activated"),
        refused: count("tandem_refused"),
        dissolved: count("tandem_dissolved"),
        completed: count("tandem_completed"),
    }
}

fn obligation_counts(counts: &views::Counts) -> a::ObligationCounts {
    let count = |name: &str| counts.get(name).copied().unwrap_or_default();
    a::ObligationCounts {
        obliged: counts.values().sum(),
        due: count("due"),
        acknowledged: count("acknowledged"),
        fulfilled: count("fulfilled"),
        excused: count("excused") + count("left"),
        lapsed: count("lapsed"),
    }
}

fn consistency(counted: Consistency) -> a::ConsistencyIndex {
    a::ConsistencyIndex {
        sessions_due: counted.due,
        sessions_planned: counted.planned,
        sessions_held: counted.held,
        index: counted.index(),
        obligations_fulfilled: counted.obligations_fulfilled(),
        cadence_kept: counted.cadence_kept(),
    }
}

fn cancellations(counts: &views::Counts) -> a::Cancellations {
    let count = |name: &str| counts.get(name).copied().unwrap_or_default();
    a::Cancellations {
        by_mentor: count("cancelled_mentor"),
        by_mentee: count("cancelled_mentee"),
        missed_by_mentor: count("missed_mentor"),
        missed_by_mentee: count("missed_mentee"),
        approved_absences: count("excused_mentor") + count("excused_mentee"),
        moved: count("moved"),
        alerts: count("alerts"),
    }
}

fn coverage(row: &views::TopicRow, k: i32) -> a::TopicCoverage {
    let needed = anonymity::shown(row.needed, row.executives, k);
    let offered = anonymity::shown(row.offered, row.mentors, k);
    // The covered are a part of the needed: shown only where the rest of both is no small group.
    let covered = needed.and_then(|needed| anonymity::shown(row.covered, needed, k));
    let suppressed = needed.is_none() && offered.is_none();
    a::TopicCoverage { topic_id: row.topic_id.clone(), suppressed, needed, offered, covered }
}

fn self_assessment(row: &views::SelfAssessmentRow, k: i32) -> a::SelfAssessment {
    let before = anonymity::mean(row.before, row.respondents, k);
    a::SelfAssessment {
        topic_id: row.topic_id.clone(),
        suppressed: before.is_none(),
        respondents: before.is_some().then_some(row.respondents),
        before,
        after: anonymity::mean(row.after, row.respondents, k),
    }
}

fn persisting(row: &views::PersistenceRow, whole: i32, k: i32) -> a::Persistence {
    let respondents = anonymity::shown(row.respondents, row.mentees, k);
    let active = respondents.and_then(|respondents| anonymity::shown(row.active, respondents, k));
    a::Persistence {
        months: row.months,
        mentees: whole,
        suppressed: active.is_none(),
        respondents,
        active,
        share: active.filter(|_| whole > 0).map(|active| f64::from(active) / f64::from(whole)),
    }
}

fn row(tandem: &GridTandem, months: i32, now: Timestamp) -> a::CadenceRow {
    let sessions: BTreeMap<i32, _> = tandem.sessions.iter().map(|session| (session.month, session)).collect();
    let cell = |month| {
        let session = sessions.get(&month);
        let outcome = session
            .and_then(|session| Outcome::of(&session.state, &session.side, session.start(), now))
            .unwrap_or(Outcome::None);
        let moves = session.map_or(0, |session| session.moves);
        a::CadenceCell { month, outcome: wire(outcome).into(), moves }
    };
    a::CadenceRow {
        tandem_id: tandem.tandem_id.to_string(),
        mentor_person_id: tandem.mentor.to_string(),
        mentee_person_id: tandem.mentee.to_string(),
        cells: (1..=months).map(cell).collect(),
    }
}

fn wire(outcome: Outcome) -> a::cadence_cell::Outcome {
    use a::cadence_cell::Outcome as Wire;
    match outcome {
        Outcome::Planned => Wire::Planned,
        Outcome::Held => Wire::Held,
        Outcome::CancelledByMentor => Wire::CancelledByMentor,
        Outcome::CancelledByMentee => Wire::CancelledByMentee,
        Outcome::MissedByMentor => Wire::MissedByMentor,
        Outcome::MissedByMentee => Wire::MissedByMentee,
        Outcome::Excused => Wire::Excused,
        Outcome::Ended => Wire::Ended,
        Outcome::Open => Wire::Open,
        Outcome::None => Wire::None,
    }
}
