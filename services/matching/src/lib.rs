//! Matching: the best set of tandems of an edition, and what becomes of each.
//!
//! Reading order:
//!
//! 1. `domain.rs` — the rules: [`domain::pairing`] says who may be paired and how well two fit, [`domain::solution`] finds the
//!    best set of tandems and proves it, [`domain::run`], [`domain::tandem`] and [`domain::place`] say what can happen;
//! 2. `codec.rs` — events as they are stored;
//! 3. `views.rs` — read models, with all SQL of the service;
//! 4. `answer.rs` — a tandem and the places it holds, changed together; `mend.rs` — whoever is left over gets the next best offer;
//! 5. `grpc.rs` — who may ask for what, and how it is answered;
//! 6. `follow.rs`, `react.rs`, `tick.rs` — what happens without being asked: what enrollment tells, what follows from it,
//!    and the passing of time.

pub mod codec;
pub mod domain;
pub mod views;

mod answer;
mod follow;
mod grpc;
mod mend;
mod react;
mod tick;

use boot::{Clock, Desk, Ground, NoConfig};
use eventlog::{BoxError, Journal};
use jiff::Timestamp;
use proto::matching::matching_service_server::MatchingServiceServer;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tonic::service::RoutesBuilder;
use vault::Vault;

pub use crate::react::Reactions;
use crate::views::Views;

/// The service.
#[derive(Clone)]
pub struct Matching {
    desk: Desk,
    clock: Clock,
    pool: PgPool,
    vault: Vault,
    journal: Journal<Views>,
}

impl boot::Service for Matching {
    const NAME: &'static str = "matching";
    const PROJECTIONS: &'static [&'static str] = views::PROJECTIONS;
    type Config = NoConfig;
    type Views = Views;
    type Follower = Reactions;

    fn migrations() -> Migrator {
        sqlx::migrate!()
    }

    fn open(ground: Ground, NoConfig {}: NoConfig) -> Self {
        let journal = ground.journal(Views);
        let Ground { desk, clock, pool, vault, .. } = ground;
        Self { desk, clock, pool, vault, journal }
    }

    fn routes(&self, routes: &mut RoutesBuilder) {
        routes.add_service(MatchingServiceServer::new(self.clone()));
    }

    fn views(&self) -> Views {
        Views
    }

    fn follower(&self) -> Reactions {
        Reactions { journal: self.journal.clone(), clock: self.clock.clone() }
    }

    async fn tick(&self, now: Timestamp) -> Result<(), BoxError> {
        tick::lapse(&self.pool, &self.journal, now).await
    }
}
