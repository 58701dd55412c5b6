//! Explanations and prices: of a run for the office, of a tandem for its own two.

use boot::{not_found, refuse, unavailable};
use eventlog::CommandError;
use identity::{PersonId, Resource};
use proto::matching as api;
use proto::matching::explanation_service_server::ExplanationService;
use proto::status;
use tonic::{Code, Request, Response, Status};

use super::refusal::INPUTS_NOT_KEPT;
use super::{Answer, id, runs};
use crate::Matching;
use crate::codec;
use crate::domain::explanation::{self, Explanation, PairView, Relaxation, Shortage, Unexplained};
use crate::domain::frozen::Frozen;
use crate::domain::outcome::{Figures, Loss, Move, Price};
use crate::domain::pairing::{Broken, Points, Rule};
use crate::domain::scoring::{Criterion, PerCriterion};
use crate::domain::solution::count;
use crate::domain::{Pair, Side};
use crate::kept::{self, Lost};
use crate::texts::Language;
use crate::views::{scoring, tandems};

#[tonic::async_trait]
impl ExplanationService for Matching {
    async fn explain_match(
        &self,
        request: Request<api::ExplainMatchRequest>,
    ) -> Answer<api::ExplainMatchResponse> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let person = id("person_id", &call.message.person_id)?;
        let other =
            call.message.other_person_id.as_deref().map(|text| id("other_person_id", text)).transpose()?;
        let key = runs::key(&call.message.match_run_id, &call.message.edition_id)?;
        let (known, _) = self.run(key).await?;
        let frozen = self.frozen(known.staged.inputs_digest.clone());
        let explained = self.off_thread(&call.gone, "explain", frozen, move |frozen, progress| {
            let explained = explanation::explain(&frozen, &known.staged, person, other, progress)?;
            Ok((explained, frozen.inputs.scoring.rules.weights()))
        });
        let (explained, weights) = explained.await?.map_err(refuse_explanation)?;
        let words = Words { language: Language::of(&call.message.language), weights };
        Ok(Response::new(api::ExplainMatchResponse { explanation: Some(words.explanation(&explained)) }))
    }

    async fn explain_tandem(
        &self,
        request: Request<api::ExplainTandemRequest>,
    ) -> Answer<api::ExplainTandemResponse> {
        let call = self.desk.receive(request).await?;
        call.scope()?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let tandem = id("tandem_id", &call.message.tandem_id)?;
        let found = tandems::find(&self.pool, tandem).await.map_err(unavailable)?;
        let row = found.filter(|row| row.key.edition == edition).ok_or_else(|| not_found("tandem"))?;
        call.allow(&Resource::between(&[row.pair.mentor, row.pair.mentee]))?;
        let seen_from = call.caller.person.and_then(|person| row.pair.side_of(person));
        let version = row.points.scoring_version;
        let scoring = scoring::version(&self.pool, edition, version).await.map_err(unavailable)?;
        let words =
            Words { language: Language::of(&call.message.language), weights: scoring.rules.weights() };
        let explanation = words.tandem(row.pair, row.points, seen_from);
        Ok(Response::new(api::ExplainTandemResponse { explanation: Some(explanation) }))
    }

    async fn price_match_run(
        &self,
        request: Request<api::PriceMatchRunRequest>,
    ) -> Answer<api::PriceMatchRunResponse> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let wishes = runs::wishes(&call.message.locks, &call.message.forbids)?;
        let swap = |swap: &api::Swap| {
            let one: PersonId = id("swaps", &swap.mentee_person_id)?;
            Ok((one, id("swaps", &swap.other_mentee_person_id)?))
        };
        let swaps = call.message.swaps.iter().map(swap).collect::<Result<Vec<_>, Status>>()?;
        let key = runs::key(&call.message.match_run_id, &call.message.edition_id)?;
        let (known, _) = self.run(key).await?;
        let frozen = self.frozen(known.staged.inputs_digest.clone());
        let priced = self.off_thread(&call.gone, "price", frozen, move |frozen, progress| {
            let priced = explanation::price(&frozen, &known.staged, wishes, &swaps, progress)?;
            Ok((priced, frozen.inputs.scoring.rules.weights()))
        });
        let (priced, weights) = priced.await?.map_err(refuse_explanation)?;
        let words = Words { language: Language::of(&call.message.language), weights };
        Ok(Response::new(api::PriceMatchRunResponse { price: Some(words.price(&priced)) }))
    }
}

impl Matching {
    /// What a run was computed from.
    async fn frozen(&self, digest: String) -> Result<Frozen, Status> {
        let mut conn = self.connection().await?;
        kept::find(&mut conn, &digest).await.map_err(|lost| match lost {
            Lost::NotKept(_) => {
                let message = "the run was computed before its inputs were kept; compute it again";
                status::refusal(Code::FailedPrecondition, INPUTS_NOT_KEPT, message)
            }
            other => unavailable(other),
        })
    }
}

fn refuse_explanation(unexplained: Unexplained) -> Status {
    refuse(CommandError::Rejected(unexplained))
}

/// Explanations as the interfaces have them, in a language.
struct Words {
    language: Language,
    /// The most points of each criterion.
    weights: PerCriterion,
}

impl Words {
    fn explanation(&self, explanation: &Explanation) -> api::MatchExplanation {
        let side = match explanation.side {
            Side::Mentor => proto::api::Side::Mentor,
            Side::Mentee => proto::api::Side::Mentee,
        };
        api::MatchExplanation {
            person_id: explanation.person.to_string(),
            side: side.into(),
            text: self.language.explanation(explanation, self.weights),
            tandems: explanation.tandems.iter().map(|view| self.pair(view)).collect(),
            best_alternative: explanation.alternative.as_ref().map(|view| self.pair(view)),
            asked: explanation.asked.as_ref().map(|view| self.pair(view)),
            shortage: explanation.shortage.as_ref().map(|shortage| self.shortage(shortage)),
        }
    }

    fn pair(&self, view: &PairView) -> api::PairExplanation {
        let points = view.verdict.unwrap_or_default();
        api::PairExplanation {
            mentor_person_id: view.pair.mentor.to_string(),
            mentee_person_id: view.pair.mentee.to_string(),
            score: points.score(),
            criteria: if view.verdict.is_ok() { self.criteria(points, None) } else { Vec::new() },
            broken_rules: view.verdict.err().into_iter().flat_map(Broken::rules).map(rule).collect(),
            price: view.price.as_ref().map(|price| self.price(price)),
            text: self.language.pair(view, self.weights),
        }
    }

    /// A tandem as one of its sides may see it, or as the office does.
    fn tandem(&self, pair: Pair, points: Points, seen_from: Option<Side>) -> api::PairExplanation {
        let points = seen_from.map_or(points, |side| points.seen_from(side));
        api::PairExplanation {
            mentor_person_id: pair.mentor.to_string(),
            mentee_person_id: pair.mentee.to_string(),
            score: points.score(),
            criteria: self.criteria(points, seen_from),
            text: self.language.fit(points, self.weights),
            ..api::PairExplanation::default()
        }
    }

    /// The criteria that count; to a side of a tandem, not whether the partner wished for it.
    fn criteria(&self, points: Points, seen_from: Option<Side>) -> Vec<api::CriterionPoints> {
        let hidden = seen_from.map(Side::hidden_wish);
        let shown = Criterion::ALL
            .into_iter()
            .filter(|criterion| self.weights.of(*criterion) > 0 && Some(*criterion) != hidden);
        let criterion = |criterion: Criterion| {
            let (points, points_max) = (points.by.of(criterion), self.weights.of(criterion));
            let text = self.language.criterion(criterion, points, points_max);
            api::CriterionPoints { criterion: criterion_to_proto(criterion).into(), points, points_max, text }
        };
        shown.map(criterion).collect()
    }

    fn price(&self, price: &Price) -> api::MatchPrice {
        api::MatchPrice {
            loss: Some(loss(&price.loss)),
            moves: price.moves.iter().map(moved).collect(),
            before: Some(figures(&price.before)),
            after: Some(figures(&price.after)),
            text: self.language.price(price),
        }
    }

    fn shortage(&self, shortage: &Shortage) -> api::ShortageExplanation {
        let texts = |people: &[PersonId]| people.iter().map(PersonId::to_string).collect();
        let relaxation = |relaxation: &Relaxation| api::Relaxation {
            rule: rule(relaxation.rule),
            pair_count: count(relaxation.pairs),
            matched_count: count(relaxation.matched),
            text: self.language.relaxation(relaxation),
        };
        api::ShortageExplanation {
            mentee_person_ids: texts(&shortage.unmatched.competing),
            mentor_person_ids: texts(&shortage.unmatched.mentors),
            places: shortage.unmatched.places,
            text: self.language.shortage(&shortage.unmatched),
            relaxations: shortage.relaxations.iter().map(relaxation).collect(),
        }
    }
}

pub(super) fn figures(figures: &Figures) -> api::RunFigures {
    api::RunFigures {
        mentee_count: count(figures.mentees),
        pair_count: count(figures.pairs),
        unmatched_count: count(figures.unmatched()),
        score: count(figures.score),
        band_counts: runs::band_counts(figures.bands.iter().copied()),
        blocking_pair_count: count(figures.blocking_pairs),
    }
}

fn loss(loss: &Loss) -> api::Loss {
    let band =
        |(below, more): &(u16, i64)| api::BandCount { below: i32::from(*below), pair_count: count(*more) };
    let unmatched = count(loss.unmatched);
    let bands = loss.bands.iter().map(band).collect();
    api::Loss { obliged: unmatched, unmatched, bands, score: count(loss.score) }
}

fn moved(moved: &Move) -> api::Move {
    let (before, after) = (moved.before.unzip(), moved.after.unzip());
    api::Move {
        mentee_person_id: moved.mentee.to_string(),
        mentor_before_person_id: before.0.map(|mentor| mentor.to_string()).unwrap_or_default(),
        mentor_after_person_id: after.0.map(|mentor| mentor.to_string()).unwrap_or_default(),
        score_before: before.1.unwrap_or_default(),
        score_after: after.1.unwrap_or_default(),
    }
}

fn rule(rule: Rule) -> i32 {
    codec::rule_to_proto(rule)
}

fn criterion_to_proto(criterion: Criterion) -> api::Criterion {
    match criterion {
        Criterion::Topics => api::Criterion::Topics,
        Criterion::Availability => api::Criterion::Availability,
        Criterion::Distance => api::Criterion::Distance,
        Criterion::Language => api::Criterion::Language,
        Criterion::MenteeWish => api::Criterion::MenteeWish,
        Criterion::MentorWish => api::Criterion::MentorWish,
        Criterion::LoadBalance => api::Criterion::LoadBalance,
    }
}
