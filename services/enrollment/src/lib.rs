//! Enrollment: people, editions and their rules, applications, obligations.
//!
//! Reading order:
//!
//! 1. `domain.rs` — the rules: [`domain::edition`], [`domain::eligibility`], [`domain::application`],
//!    [`domain::obligation`], [`domain::person`]; of the directory, [`domain::worker`] for what a source says,
//!    [`domain::register`] for what becomes of it, [`domain::merge`] for what several sources say of one person, and
//!    [`domain::roster`] for a file of it;
//! 2. `codec.rs` — events as they are stored;
//! 3. `views.rs` — read models, with all SQL of the service;
//! 4. `sync.rs` — the one way into the directory: `sync/batch.rs` takes records, `sync/settling.rs` makes of them what happens
//!    to people, `sync/ending.rs` ends runs, `sync/single.rs` and `sync/passing.rs` know no runs;
//! 5. `grpc.rs` — who may ask for what, and how it is answered;
//! 6. `import.rs`, `tick.rs`, `react.rs` — what happens without being asked: a roster in the background, the passing of
//!    time, what other services tell.

pub mod codec;
pub mod domain;
pub mod views;

mod grpc;
mod import;
mod react;
mod secret;
mod sync;
mod tick;

use boot::{Clock, Desk, Ground};
use eventlog::{BoxError, Journal};
use identity::SourceId;
use jiff::Timestamp;
use proto::enrollment::application_service_server::ApplicationServiceServer;
use proto::enrollment::directory_service_server::DirectoryServiceServer;
use proto::enrollment::edition_service_server::EditionServiceServer;
use proto::enrollment::obligation_service_server::ObligationServiceServer;
use proto::hris::hris_sync_service_server::HrisSyncServiceServer;
use proto::hris::source_service_server::SourceServiceServer;
use proto::hris::worker_service_server::WorkerServiceServer;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use vault::Vault;

use crate::import::Imports;
pub use crate::react::Reactions;
use crate::sync::Sync;
use crate::views::Views;

/// What a request may hold besides the file of an import.
const REQUEST_BYTES_MAX: usize = 1 << 20;

/// The settings of the service.
#[derive(clap::Args, Clone, Copy, Debug)]
#[group(skip)]
pub struct Config {
    /// Seconds after which who follows the workers of a source is told that nothing has happened.
    #[arg(
        long,
        env = "UPDRAFT_WATCH_HEARTBEAT_SECONDS",
        value_name = "SECONDS",
        default_value_t = 15,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub watch_heartbeat_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { watch_heartbeat_seconds: 15 }
    }
}

/// The service.
#[derive(Clone)]
pub struct Enrollment {
    desk: Desk,
    clock: Clock,
    pool: PgPool,
    vault: Vault,
    journal: Journal<Views>,
    imports: Imports,
    sync: Sync,
    config: Config,
    /// Signalled when workers have come or gone.
    moves: watch::Sender<()>,
    shutdown: CancellationToken,
}

impl boot::Service for Enrollment {
    const NAME: &'static str = "enrollment";
    const PROJECTIONS: &'static [&'static str] = views::PROJECTIONS;
    type Config = Config;
    type Views = Views;
    type Follower = Reactions;

    fn migrations() -> Migrator {
        sqlx::migrate!()
    }

    fn open(ground: Ground, config: Config) -> Self {
        let journal = ground.journal(Views);
        let sync = Sync::new(&ground, journal.clone());
        let imports = Imports::new(&ground, sync.clone());
        let Ground { desk, clock, pool, vault, shutdown, .. } = ground;
        let moves = watch::Sender::new(());
        Self { desk, clock, pool, vault, journal, imports, sync, config, moves, shutdown }
    }

    fn routes(&self, routes: &mut RoutesBuilder) {
        let directory = DirectoryServiceServer::new(self.clone())
            .max_decoding_message_size(domain::roster::FILE_BYTES_MAX + REQUEST_BYTES_MAX);
        routes.add_service(directory);
        routes.add_service(EditionServiceServer::new(self.clone()));
        routes.add_service(ApplicationServiceServer::new(self.clone()));
        routes.add_service(ObligationServiceServer::new(self.clone()));
        routes.add_service(SourceServiceServer::new(self.clone()));
        routes.add_service(HrisSyncServiceServer::new(self.clone()));
        routes.add_service(WorkerServiceServer::new(self.clone()));
    }

    fn views(&self) -> Views {
        Views
    }

    fn follower(&self) -> Reactions {
        Reactions { journal: self.journal.clone(), clock: self.clock.clone() }
    }

    async fn source_of_certificate(&self, sha256: [u8; 32]) -> Result<Option<SourceId>, BoxError> {
        Ok(self.source_of(&sha256, self.clock.now()).await?)
    }

    async fn tick(&self, now: Timestamp) -> Result<(), BoxError> {
        // What fails keeps none of the others from being done.
        let done = [
            self.imports.tidy(now).await,
            tick::let_go(&self.pool, &self.journal, now).await,
            self.sync.pass(now).await,
            tick::forget_births(&self.pool, now).await,
            tick::escalate(&self.pool, &self.journal, now).await,
        ];
        self.moves.send_replace(());
        let mut errors = done.into_iter().filter_map(Result::err);
        let first = errors.next();
        for error in errors {
            tracing::error!(
                error = &*error as &dyn std::error::Error,
                "other due work failed; it is tried again"
            );
        }
        first.map_or(Ok(()), Err)
    }
}
