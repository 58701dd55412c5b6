//! A process: takes the database, adds services, serves, drains.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use eventlog::{BoxError, Feed};
use futures::future::BoxFuture;
use identity::{AuthLayer, Guard, Keys};
use jiff::Timestamp;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::RoutesBuilder;
use tonic::transport::server::TcpIncoming;
use vault::{MasterKey, Vault};

use crate::certificate::{CertificateLayer, Owner};
use crate::database::Database;
use crate::entire::EntireLayer;
use crate::ground::Common;
use crate::postgres::Cluster;
use crate::rebuild::{self, Progress};
use crate::replay::{self, Compared};
use crate::wheel::Wheel;
use crate::{Clock, Config, Ports, Service, StartError, Visit, admin};

type Replay = Box<dyn Fn() -> BoxFuture<'static, Result<Vec<Compared>, BoxError>> + Send + Sync>;
type Rebuild = Box<dyn Fn(rebuild::Site) -> BoxFuture<'static, Result<i64, BoxError>> + Send + Sync>;
type Tick = Box<dyn Fn(Timestamp) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync>;

/// How long each step of the end may take: an idle client must not keep a process from ending.
const PATIENCE: Duration = Duration::from_secs(5);

/// A process with its services, not serving yet.
pub struct House {
    database: Database,
    cluster: Option<Cluster>,
    common: Common,
    routes: RoutesBuilder,
    ticks: Vec<(&'static str, Tick)>,
    replays: Vec<(&'static str, PgPool, Replay, Rebuild)>,
    follows: Vec<Box<dyn FnOnce() + Send>>,
    owners: Vec<Owner>,
}

impl House {
    /// Takes the database, the keys and the event log.
    ///
    /// # Errors
    /// [`StartError`], each a sentence for the operator.
    pub async fn open(config: &Config, clock: Clock) -> Result<Self, StartError> {
        let url = config.database_url().map_err(StartError::DatabaseUrlFile)?;
        let (database, cluster) = if let Some(url) = url {
            (Database::from_url(url.expose())?, None)
        } else {
            let cluster = Cluster::start(config.cluster.clone()).await?;
            (Database::private(&cluster).await?, Some(cluster))
        };
        let keys = Keys::load_or_create(config.identity_key_path())?;
        let master_key = MasterKey::load_or_create(config.vault_key_path())?;
        Self::on(database, cluster, clock, keys, master_key).await
    }

    /// The same for an operator's command, which may run beside the system.
    ///
    /// # Errors
    /// [`StartError`], each a sentence for the operator.
    pub async fn visit(config: &Config, clock: Clock) -> Result<Self, StartError> {
        let Visit { database, cluster } = Visit::to(config).await?;
        let keys = Keys::load_or_create(config.identity_key_path())?;
        let master_key = MasterKey::load_or_create(config.vault_key_path())?;
        Self::on(database, cluster, clock, keys, master_key).await
    }

    /// Takes a database that is there already, such as a test's.
    ///
    /// # Errors
    /// [`StartError`] if it cannot be prepared.
    pub async fn on(
        database: Database,
        cluster: Option<Cluster>,
        clock: Clock,
        keys: Keys,
        master_key: MasterKey,
    ) -> Result<Self, StartError> {
        database.check(&["eventlog", "vault", "feed", "reader"]).await?;
        eventlog::migrate(&database.pool("eventlog")).await?;
        let vault_pool = database.pool("vault");
        vault::migrate(&vault_pool)
            .await
            .map_err(|source| StartError::Migration { service: "vault", source })?;
        let vault = Vault::unlock(&vault_pool, master_key).await?;
        let shutdown = CancellationToken::new();
        // The feed outlives the callers, who may be waiting for it: draining it is what ends it.
        let feed = Feed::start(database.pool("feed"), CancellationToken::new());
        let guard = Arc::new(Guard::new()?);
        let tasks = TaskTracker::new();
        let common = Common { clock, keys, guard, feed, vault, shutdown, tasks };
        let routes = RoutesBuilder::default();
        Ok(Self {
            database,
            cluster,
            common,
            routes,
            ticks: Vec::new(),
            replays: Vec::new(),
            follows: Vec::new(),
            owners: Vec::new(),
        })
    }

    /// Adds a service: brings its schema up to date, wires it, and lets it follow the others once the process serves.
    ///
    /// # Errors
    /// [`StartError::Migration`] if its schema cannot be brought up to date.
    pub async fn add<S: Service>(&mut self, config: S::Config) -> Result<(), StartError> {
        self.database.check(&[S::NAME]).await?;
        let pool = self.database.pool(S::NAME);
        let migrated = S::migrations().run(&pool).await;
        migrated.map_err(|source| StartError::Migration { service: S::NAME, source })?;

        let service = S::open(self.common.ground(S::NAME, pool.clone()), config);
        service.routes(&mut self.routes);
        let (feed, follower, its_pool) = (self.common.feed.clone(), service.follower(), pool.clone());
        self.follows.push(Box::new(move || feed.follow(its_pool, follower)));
        let ticking = service.clone();
        let tick: Tick = Box::new(move |now| {
            let service = ticking.clone();
            Box::pin(async move { service.tick(now).await })
        });
        self.ticks.push((S::NAME, tick));
        let asked = service.clone();
        self.owners.push(Box::new(move |sha256| {
            let service = asked.clone();
            Box::pin(async move { service.source_of_certificate(sha256).await })
        }));
        let (checked, its_pool) = (service.clone(), pool.clone());
        let replay: Replay = Box::new(move || {
            let (service, pool) = (checked.clone(), its_pool.clone());
            Box::pin(async move { replay::check(&service, &pool).await })
        });
        let rebuild: Rebuild = Box::new(move |site| {
            let service = service.clone();
            Box::pin(async move { rebuild::run(&service, &site).await })
        });
        self.replays.push((S::NAME, pool, replay, rebuild));
        Ok(())
    }

    /// Compares every read model with a fold of all events, both as of one moment.
    ///
    /// # Errors
    /// [`StartError::Replay`] if an event or a table cannot be read.
    pub async fn replay(&self) -> Result<Vec<Compared>, StartError> {
        let mut found = Vec::new();
        for (service, _, replay, _) in &self.replays {
            let compared = replay().await;
            found.extend(compared.map_err(|source| StartError::Replay { service, source })?);
        }
        Ok(found)
    }

    /// Makes the read models of a service anew and swaps them in while it goes on; answers with the last position they know.
    ///
    /// # Errors
    /// [`StartError::NoService`] if no such service was added, [`StartError::Rebuild`] if an event cannot be taken in or a
    /// table cannot be swapped; the live tables are then what they were.
    pub async fn rebuild(&self, service: &str, progress: watch::Sender<Progress>) -> Result<i64, StartError> {
        let found = self.replays.iter().find(|(name, ..)| *name == service);
        let (service, pool, _, rebuild) = found.ok_or_else(|| StartError::NoService(service.to_owned()))?;
        let owner = self.database.pool("eventlog");
        let site = rebuild::Site { pool: pool.clone(), owner, safe: self.common.feed.safe(), progress };
        rebuild(site).await.map_err(|source| StartError::Rebuild { service, source })
    }

    /// Ends a process that never served, Postgres last.
    pub async fn close(self) {
        self.common.shutdown.cancel();
        self.common.feed.drain().await;
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
        }
    }

    /// The token that ends the process when it is cancelled; whoever calls our servers stops then.
    #[must_use]
    pub fn shutdown(&self) -> CancellationToken {
        self.common.shutdown.clone()
    }

    /// What is recorded, in order, for whoever hands it on to other systems.
    #[must_use]
    pub fn feed(&self) -> Feed {
        self.common.feed.clone()
    }

    /// Connections that may read the log, and keep a place in it.
    #[must_use]
    pub fn feed_pool(&self) -> PgPool {
        self.database.pool("feed")
    }

    /// Tasks that are waited for at the end.
    #[must_use]
    pub fn tasks(&self) -> TaskTracker {
        self.common.tasks.clone()
    }

    /// The keys of the process.
    #[must_use]
    pub fn keys(&self) -> Keys {
        self.common.keys.clone()
    }

    /// Describes every interface to clients that ask, if that is wanted.
    fn add_reflection(&mut self, wanted: bool) -> Result<(), StartError> {
        if wanted {
            let mut reflection = tonic_reflection::server::Builder::configure();
            reflection = reflection.register_encoded_file_descriptor_set(proto::descriptors());
            self.routes.add_service(reflection.build_v1().map_err(StartError::Reflection)?);
        }
        Ok(())
    }

    /// Serves gRPC and the admin port until the shutdown token is cancelled; [`Serving::drain`] ends it.
    ///
    /// # Errors
    /// [`StartError::Reflection`] if the interfaces cannot be described.
    pub async fn serve(mut self, ports: Ports, config: &Config) -> Result<Serving, StartError> {
        let Ports { grpc, grpc_address, tls, inner, inner_address, admin, admin_address } = ports;
        self.add_reflection(config.grpc_reflection)?;
        let common = self.common;
        for follow in self.follows {
            follow();
        }
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
        self.routes.add_service(health);
        let server = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .layer(telemetry::ServerLayer::grpc(is_known))
            .layer(CertificateLayer(self.owners.into()))
            .layer(AuthLayer(common.keys.clone()))
            .layer(EntireLayer)
            .add_routes(self.routes.routes());
        // Without this an answer of several packets waits for the client's delayed acknowledgement, 40 ms.
        let plain = |listener| TcpIncoming::from(listener).with_nodelay(Some(true));
        let (servers, closing) = (TaskTracker::new(), CancellationToken::new());
        if let Some(inner) = inner {
            let closed = closing.clone().cancelled_owned();
            servers.spawn(ended(server.clone().serve_with_incoming_shutdown(plain(inner), closed)));
        }
        let closed = closing.clone().cancelled_owned();
        match tls {
            Some(tls) => {
                servers.spawn(ended(server.serve_with_incoming_shutdown(tls.incoming(grpc), closed)))
            }
            None => servers.spawn(ended(server.serve_with_incoming_shutdown(plain(grpc), closed))),
        };

        let wheel = Wheel::new(common.clock.clone(), common.feed.clone(), self.ticks);
        common.tasks.spawn(wheel.clone().run(common.shutdown.clone()));
        let reader = self.database.pool("reader");
        let router = admin::router(reader, common.feed.clone(), wheel, common.clock.is_manual());
        let closed = closing.clone().cancelled_owned();
        servers.spawn(async move {
            if let Err(error) = axum::serve(admin, router).with_graceful_shutdown(closed).await {
                tracing::error!(error = &error as &dyn Error, "the admin port ended");
            }
        });
        let (grpc, inner, admin, cluster) = (grpc_address, inner_address, admin_address, self.cluster);
        Ok(Serving { grpc, inner, admin, common, servers, closing, cluster })
    }
}

/// Says why a gRPC server ended, if it was not asked to.
async fn ended(serving: impl Future<Output = Result<(), tonic::transport::Error>>) {
    if let Err(error) = serving.await {
        tracing::error!(error = &error as &dyn Error, "a gRPC server ended");
    }
}

/// Whether there is a gRPC method `package.Service/Method`, ours or one of gRPC's own.
fn is_known(method: &str) -> bool {
    let Some((service, method)) = method.split_once('/') else { return false };
    let ours = proto::pool().get_service_by_name(service);
    ours.is_some_and(|service| service.methods().any(|known| known.name() == method))
        || matches!((service, method), ("grpc.health.v1.Health", "Check" | "Watch"))
        || matches!((service, method), ("grpc.reflection.v1.ServerReflection", "ServerReflectionInfo"))
}

/// A process that serves.
pub struct Serving {
    /// Where gRPC listens.
    pub grpc: SocketAddr,
    /// Where the process finds its own services, without TLS.
    pub inner: SocketAddr,
    /// Where the admin port listens.
    pub admin: SocketAddr,
    common: Common,
    servers: TaskTracker,
    closing: CancellationToken,
    cluster: Option<Cluster>,
}

impl Serving {
    /// Waits until the process is to end: the token is cancelled, a signal arrives, or Postgres is given up.
    ///
    /// # Errors
    /// [`StartError::Postgres`] if the private Postgres is given up.
    pub async fn ended(&self) -> Result<(), StartError> {
        let given_up = async {
            match &self.cluster {
                Some(cluster) => cluster.given_up().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.common.shutdown.cancelled() => Ok(()),
            () = crate::signal::asked_to_end() => Ok(()),
            error = given_up => Err(error.into()),
        }
    }

    /// Ends everything in order: callers and tasks, the servers they call, followers, Postgres last.
    ///
    /// Whoever keeps a connection or a stream open is waited for some seconds, and no longer once a second signal arrives.
    pub async fn drain(self) {
        let Self { common, servers, closing, cluster, .. } = self;
        common.shutdown.cancel();
        common.tasks.close();
        patiently("tasks", common.tasks.wait()).await;
        closing.cancel();
        servers.close();
        patiently("connections", servers.wait()).await;
        patiently("followers", common.feed.drain()).await;
        if let Some(cluster) = cluster {
            cluster.stop().await;
        }
    }
}

/// Waits for what ends, but not forever: what is cut off here is rolled back by Postgres, as in a crash.
async fn patiently(what: &'static str, ended: impl Future<Output = ()>) {
    tokio::select! {
        () = ended => return,
        () = tokio::time::sleep(PATIENCE) => {}
        () = crate::signal::asked_to_end() => {}
    }
    tracing::warn!(what, "not everything has ended; the process ends all the same");
}
