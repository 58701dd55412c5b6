//! What a service tells the process that runs it.

use eventlog::{BoxError, Feed, Follower, Journal, Views};
use identity::{Guard, Keys, SourceId};
use jiff::Timestamp;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::RoutesBuilder;
use vault::Vault;

use crate::{Clock, Desk};

/// One bounded context, as the process sees it.
pub trait Service: Clone + Send + Sync + 'static {
    /// The service's name: its schema, its database role, its follower and its gRPC package.
    const NAME: &'static str;
    /// The tables that are a pure function of the events, for the replay.
    const PROJECTIONS: &'static [&'static str];
    /// Settings of its own; [`NoConfig`] where there are none.
    type Config: clap::Args + Clone + Send + Sync;
    /// Its inline views.
    type Views: Views;
    /// Its follower of the others' events.
    type Follower: Follower;

    /// The migrations of its schema.
    fn migrations() -> Migrator;
    /// Wires the service.
    fn open(ground: Ground, config: Self::Config) -> Self;
    /// Adds its gRPC services.
    fn routes(&self, routes: &mut RoutesBuilder);
    /// Its inline views.
    fn views(&self) -> Self::Views;
    /// Its follower.
    fn follower(&self) -> Self::Follower;

    /// Tells for which source of the directory a client certificate speaks, by the SHA-256 of its DER.
    ///
    /// # Errors
    /// Any failure; the call is refused as unavailable.
    fn source_of_certificate(
        &self,
        sha256: [u8; 32],
    ) -> impl Future<Output = Result<Option<SourceId>, BoxError>> + Send {
        let _ = sha256;
        async { Ok(None) }
    }

    /// Does what is due by the clock; called several times a minute, and after a manual clock was set.
    ///
    /// # Errors
    /// Any failure; it is logged, and the next turn tries again.
    fn tick(&self, now: Timestamp) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = now;
        async { Ok(()) }
    }
}

/// The settings of a service that has none.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct NoConfig {}

/// What a service stands on.
#[derive(Clone)]
pub struct Ground {
    /// Connections as the service's own role, with its schema as search path.
    pub pool: PgPool,
    /// Where its calls come in.
    pub desk: Desk,
    /// Seals what people wrote.
    pub vault: Vault,
    /// Business time.
    pub clock: Clock,
    /// Signs the statements of calls to other services.
    pub keys: Keys,
    /// Cancelled when the process ends.
    pub shutdown: CancellationToken,
    /// Tasks that are waited for when the process ends.
    pub tasks: TaskTracker,
    feed: Feed,
}

impl Ground {
    /// The journal of the service's own events.
    pub fn journal<V: Views>(&self, views: V) -> Journal<V> {
        Journal::new(self.pool.clone(), self.feed.wake(), views)
    }
}

/// What all services of a process share.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) clock: Clock,
    pub(crate) keys: Keys,
    pub(crate) guard: Arc<Guard>,
    pub(crate) feed: Feed,
    pub(crate) vault: Vault,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Common {
    pub(crate) fn ground(&self, name: &'static str, pool: PgPool) -> Ground {
        Ground {
            desk: Desk::new(self.clock.clone(), Arc::clone(&self.guard), self.feed.clone(), name),
            vault: self.vault.clone(),
            clock: self.clock.clone(),
            keys: self.keys.clone(),
            shutdown: self.shutdown.clone(),
            tasks: self.tasks.clone(),
            feed: self.feed.clone(),
            pool,
        }
    }
}
