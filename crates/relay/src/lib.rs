//! The way out of one machine: every event of the log, in order, into a stream of NATS `JetStream` for other systems.
//!
//! The stream itself says how far the relay has come: its last message carries the position of an event, and the next event
//! follows. So nothing is lost if the broker dies, even if it lost the end of its stream, and nothing is there twice: each
//! message is accepted only behind the one before it. Events carry ids, codes, dates and sealed bytes, and so do messages.
//!
//! A message is a `CloudEvent` in binary mode: attributes are headers, the payload is the event's protobuf message. Its
//! subject is `updraft.events.<kind of stream>.<name of the message>`, and `Nats-Msg-Id` is the position, by which a consumer
//! can tell what it has had.
//!
//! Reading order: `Relay` follows the log, `outlet` speaks to the broker, `message` makes the messages.
//!
//! # Source
//!
//! - `CloudEvents` 1.0.2, and its NATS Protocol Binding, section 3.1 (binary content mode).
//! - NATS documentation, `JetStream`: headers `Nats-Msg-Id` and `Nats-Expected-Last-Sequence`.

mod message;
mod outlet;

use std::convert::Infallible;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::outlet::{Outlet, OutletError};

/// The name under which the relay's place is kept beside those of the followers.
pub const NAME: &str = "relay";

/// The most events that wait for the broker's word at the same time.
const PAGE: i64 = 500;

/// How long to leave a broker alone that does not take events; each further failure doubles it.
const BACKOFF_MIN: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// The settings of the relay.
#[derive(clap::Args, Clone, Default)]
#[group(skip)]
pub struct Config {
    /// The NATS server to which every event is relayed, such as <tls://user:password@host:4222>; without one none is.
    #[arg(long, env = "UPDRAFT_NATS_URL", hide_env_values = true)]
    pub nats_url: Option<String>,
    /// A file with the credentials (JWT and seed) for the NATS server.
    #[arg(long, env = "UPDRAFT_NATS_CREDENTIALS_FILE", requires = "nats_url")]
    pub nats_credentials_file: Option<PathBuf>,
    /// The stream of `JetStream` that takes the events; it is made if it is not there, and keeps them in files.
    #[arg(long, env = "UPDRAFT_NATS_STREAM", default_value = "UPDRAFT")]
    pub nats_stream: String,
}

/// What keeps the relay from going on.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Outlet(#[from] OutletError),
    #[error("the event log cannot be read")]
    Log(#[from] eventlog::Error),
    #[error("the place of the relay cannot be kept")]
    Database(#[from] sqlx::Error),
}

/// Relays the log of a database to a broker.
pub struct Relay {
    pool: PgPool,
    safe: watch::Receiver<i64>,
    config: Config,
    url: String,
    lag: opentelemetry::metrics::Gauge<i64>,
}

impl Relay {
    /// A relay of what is safe to be read, if the settings name a broker.
    #[must_use]
    pub fn configured(pool: PgPool, safe: watch::Receiver<i64>, config: Config) -> Option<Self> {
        let url = config.nats_url.clone()?;
        let lag = telemetry::meter()
            .i64_gauge("eventlog.relay.lag")
            .with_description("Positions that are safe to be read and not in the broker's stream yet.")
            .build();
        Some(Self { pool, safe, config, url, lag })
    }

    /// Relays until it is told to stop; a broker that is away is waited for.
    ///
    /// Two processes that relay into the same stream do no harm: what one has sent the other is refused, and goes on behind it.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut backoff = BACKOFF_MIN;
        let mut away = false;
        while !stop.is_cancelled() {
            let Some(Err(error)) = stop.run_until_cancelled(Box::pin(self.session(&mut away))).await else {
                return;
            };
            if away {
                backoff = (backoff * 2).min(BACKOFF_MAX);
            } else {
                let error: &dyn Error = &error;
                tracing::error!(error, "events are not relayed");
                backoff = BACKOFF_MIN;
            }
            away = true;
            stop.run_until_cancelled(sleep(backoff)).await;
        }
    }

    /// Relays over one connection, until it fails.
    async fn session(&mut self, away: &mut bool) -> Result<Infallible, RelayError> {
        let mut outlet = Outlet::open(&self.url, &self.config).await?;
        let mut position = match outlet.last() {
            Some(position) => position,
            None => self.kept().await?,
        };
        if std::mem::take(away) {
            tracing::info!(position, "events are relayed again");
        }
        loop {
            let safe = self.news(position, &outlet).await?;
            let page = eventlog::read(&self.pool, position, Some(safe), PAGE).await?;
            outlet.publish(&page).await?;
            position = page.last().map_or(safe, |event| event.position);
            self.keep(position).await?;
            self.lag.record(safe - position, &[]);
        }
    }

    /// Waits for events behind the position, and answers with the watermark.
    async fn news(&mut self, position: i64, outlet: &Outlet) -> Result<i64, RelayError> {
        let news = async {
            let safe = self.safe.wait_for(|safe| *safe > position).await.ok().map(|safe| *safe);
            match safe {
                Some(safe) => safe,
                // The feed is gone, and whoever ended it is about to tell us.
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            lost = outlet.lost() => Err(lost.into()),
            safe = news => Ok(safe),
        }
    }

    /// Where the relay stood, for a stream that has been emptied and says nothing any more.
    async fn kept(&self) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("select coalesce(max(position), 0) from eventlog.checkpoints where consumer = $1")
            .bind(NAME)
            .fetch_one(&self.pool)
            .await
    }

    async fn keep(&self, position: i64) -> Result<(), sqlx::Error> {
        sqlx::query(
            "insert into eventlog.checkpoints (consumer, position, fence) values ($1, $2, 0)
             on conflict (consumer, lane) do update set position = excluded.position",
        )
        .bind(NAME)
        .bind(position)
        .execute(&self.pool)
        .await
        .map(drop)
    }
}
