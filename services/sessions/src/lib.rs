//! Sessions: what a tandem does, month by month, and what is left of it after the end.
//!
//! Reading order:
//!
//! 1. `domain.rs` — the rules: [`domain::planning`] finds the times, [`domain::series`] is what happens to the sessions of a
//!    tandem, [`domain::follow_up`] what is asked after the end;
//! 2. `codec.rs` — events as they are stored, and what the events of others say;
//! 3. `views.rs` — read models, with all SQL of the service;
//! 4. `grpc.rs` — who may ask for what, and how it is answered;
//! 5. `react.rs`, `tick.rs` — what happens without being asked: what other services tell, the passing of time.

pub mod codec;
pub mod domain;
pub mod views;

mod grpc;
mod react;
mod tick;

use boot::{Clock, Desk, Ground, NoConfig};
use eventlog::{BoxError, Journal};
use jiff::Timestamp;
use proto::sessions::sessions_service_server::SessionsServiceServer;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tonic::service::RoutesBuilder;
use vault::Vault;

pub use crate::react::Reactions;
use crate::views::Views;

/// The service.
#[derive(Clone)]
pub struct Sessions {
    desk: Desk,
    clock: Clock,
    pool: PgPool,
    vault: Vault,
    journal: Journal<Views>,
}

impl boot::Service for Sessions {
    const NAME: &'static str = "sessions";
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
        routes.add_service(SessionsServiceServer::new(self.clone()));
    }

    fn views(&self) -> Views {
        Views
    }

    fn follower(&self) -> Reactions {
        Reactions { journal: self.journal.clone(), clock: self.clock.clone(), vault: self.vault.clone() }
    }

    async fn tick(&self, now: Timestamp) -> Result<(), BoxError> {
        tick::pause(&self.pool, &self.journal, now).await?;
        tick::notice_due(&self.pool, &self.journal, now).await
    }
}
