//! Matching: the best set of tandems of an edition, and what becomes of each.
//!
//! Reading order:
//!
//! 1. `domain.rs` — the rules: [`domain::pairing`] says who may be paired and how well two fit, [`domain::solution`] finds the
//!    best set of tandems and proves it, [`domain::round`] serves those who are left over, [`domain::run`], [`domain::tandem`] and
//!    [`domain::place`] say what can happen;
//! 2. `codec.rs` — events as they are stored;
//! 3. `views.rs` — read models, with all SQL of the service;
//! 4. `answer.rs` — a tandem and the places it holds, changed together; `mend.rs` — whoever is left over or waits gets the next best offer;
//!    `kept.rs` — what runs were computed from; `proof.rs` — a run computed anew or verified, years later;
//! 5. `grpc.rs` — who may ask for what, and how it is answered; `texts.rs` — explanations in words;
//! 6. `follow.rs`, `react.rs`, `tick.rs` — what happens without being asked: what enrollment tells, what follows from it,
//!    and the passing of time.
//!
//! Where to look for
//!
//! | what | where |
//! |---|---|
//! | a hard rule, or what gives points | [`domain::pairing`]; the weights and bands in [`domain::scoring`] |
//! | the best set of tandems, and why it is the best | [`domain::computation`], [`domain::certificate`] |
//! | why these two, why not those, what a swap costs | [`domain::explanation`], [`domain::standing`]; in words: [`texts`] |
//! | what other scoring rules would change | [`domain::comparison`] |
//! | why a run is not published any more | [`domain::difference`] |
//! | accepting, asking back, refusing, dissolving, lapsing | [`domain::tandem`]; with places and vetoes: `answer.rs` |
//! | who is left over, waits, and is served when | `mend.rs`; on which occasions: `react.rs` and `tick.rs`; how: [`domain::round`], [`domain::frontier`]; who stands in line or waits for what: [`domain::repair`] |
//! | who may be asked at all: leaves, silences, what has ended | [`views::left_over`], [`views::inputs`] |
//! | what long computations wait for | `grpc/computing.rs` |
//! | the same bytes years later | [`kept`], [`proof`], and the recorded run beside it |

pub mod codec;
pub mod domain;
pub mod kept;
pub mod proof;
pub mod texts;
pub mod views;

mod answer;
mod follow;
mod grpc;
mod mend;
mod react;
mod tick;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use boot::{Clock, Desk, Ground};
use eventlog::{BoxError, Journal};
use identity::EditionId;
use jiff::Timestamp;
use jiff::civil::Date;
use proto::matching::explanation_service_server::ExplanationServiceServer;
use proto::matching::matching_service_server::MatchingServiceServer;
use proto::matching::scoring_service_server::ScoringServiceServer;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::sync::Mutex;
use tonic::service::RoutesBuilder;
use vault::Vault;

use crate::grpc::computing::Computing;
pub use crate::react::Reactions;
use crate::views::Views;

/// The settings of the service.
#[derive(clap::Args, Clone, Debug)]
#[group(skip)]
pub struct Config {
    /// The longest computation of a match run or an explanation, seconds. The interfaces wait no longer than 300: whoever is to hear
    /// why nothing was found has to hear it before.
    #[arg(
        long,
        env = "UPDRAFT_MATCHING_SECONDS_MAX",
        default_value_t = 280,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub matching_seconds_max: u64,
    /// How many computations run at once, each on a processor of its own; others wait for their turn, and that counts as their time. By
    /// default one fewer than there are processors, and at least one. With 0 nothing is computed.
    #[arg(long, env = "UPDRAFT_MATCHING_COMPUTATIONS_MAX")]
    pub matching_computations_max: Option<u16>,
    /// The most pairs that are looked at at once to serve executives who are left over, first with free mentors and then, once more as
    /// many, by moves; about a million take a second, for which others wait. For whom it does not suffice, it goes on some seconds later,
    /// and again, whoever has waited longest first.
    #[arg(long, env = "UPDRAFT_MATCHING_PAIRS_AT_ONCE", default_value_t = 100_000)]
    pub matching_pairs_at_once: usize,
}

/// The service.
#[derive(Clone)]
pub struct Matching {
    computing: Computing,
    pairs_at_once: usize,
    desk: Desk,
    clock: Clock,
    pool: PgPool,
    vault: Vault,
    journal: Journal<Views>,
    /// The days on which the clock has served whoever waits.
    days_served: Arc<Mutex<BTreeMap<EditionId, Date>>>,
}

impl boot::Service for Matching {
    const NAME: &'static str = "matching";
    const PROJECTIONS: &'static [&'static str] = views::PROJECTIONS;
    type Config = Config;
    type Views = Views;
    type Follower = Reactions;

    fn migrations() -> Migrator {
        sqlx::migrate!()
    }

    fn open(ground: Ground, config: Config) -> Self {
        let journal = ground.journal(Views);
        let Ground { desk, clock, pool, vault, .. } = ground;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let at_once =
            config.matching_computations_max.map_or(processors.saturating_sub(1).max(1), usize::from);
        let computing = Computing::new(Duration::from_secs(config.matching_seconds_max), at_once);
        let pairs_at_once = config.matching_pairs_at_once;
        let days_served = Arc::default();
        Self { computing, pairs_at_once, desk, clock, pool, vault, journal, days_served }
    }

    fn routes(&self, routes: &mut RoutesBuilder) {
        routes.add_service(MatchingServiceServer::new(self.clone()));
        routes.add_service(ScoringServiceServer::new(self.clone()));
        routes.add_service(ExplanationServiceServer::new(self.clone()));
    }

    fn views(&self) -> Views {
        Views
    }

    fn follower(&self) -> Reactions {
        let pairs_at_once = self.pairs_at_once;
        Reactions { journal: self.journal.clone(), clock: self.clock.clone(), pairs_at_once }
    }

    async fn tick(&self, now: Timestamp) -> Result<(), BoxError> {
        tick::lapse(&self.pool, &self.journal, now).await?;
        let turn = mend::Turn { now, pairs_at_once: self.pairs_at_once };
        mend::by_clock(&self.pool, &self.journal, &mut *self.days_served.lock().await, turn).await
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        config: Config,
    }

    #[test]
    fn so_many_computations_at_once_are_allowed_as_there_can_be() {
        let parse =
            |most: u64| Cli::try_parse_from(["it".to_owned(), format!("--matching-computations-max={most}")]);
        assert!(parse(u64::MAX).is_err());
        let most = parse(u16::MAX.into()).unwrap().config.matching_computations_max;
        Computing::new(Duration::MAX, most.map_or(0, usize::from));
    }
}
