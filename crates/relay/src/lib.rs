//! The way out of one machine: every event of the log, in order, into a stream of NATS `JetStream` for other systems.
//!
//! The stream itself says how far the relay has come: its last message carries the position of an event, and the next event
//! follows. So nothing is lost if the broker dies, even if it lost the end of its stream, and nothing is there twice: each
//! message is accepted only behind the one before it. If the log no longer has that event, because the database was restored
//! to an earlier time, nothing is relayed, and the log of the process says so. Events carry ids, codes, dates and sealed bytes, and so do messages.
//!
//! A message is a `CloudEvent` in binary mode: attributes are headers, the payload is the event's protobuf message. Its
//! subject is `updraft.events.<kind of stream>.<name of the message>`, and `Nats-Msg-Id` is the position, by which a consumer
//! can tell what it has had.
//!
//! Reading order: `Relay` follows the log, `outlet` speaks to the broker, `message` makes the messages, `last` knows the last
//! one again, `waiting` measures what is still to be sent.
//!
//! # Source
//!
//! - `CloudEvents` 1.0.2, and its NATS Protocol Binding, section 3.1 (binary content mode).
//! - NATS documentation, `JetStream`: headers `Nats-Msg-Id` and `Nats-Expected-Last-Sequence`.

mod last;
mod message;
mod outlet;
mod waiting;

use std::convert::Infallible;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::last::Parted;
use crate::outlet::{Held, Outlet, OutletError};
use crate::waiting::Waiting;

/// The name under which the relay's place is kept beside those of the followers.
pub const NAME: &str = "relay";

/// The most events that wait for the broker's word at the same time.
const PAGE: i64 = 500;

/// How long to leave a broker alone that does not take events; each further failure doubles it.
const BACKOFF_MIN: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// How often it is measured how far the broker is behind.
const MEASURE_PAUSE: Duration = Duration::from_secs(1);

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
    #[error(transparent)]
    Parted(#[from] Parted),
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
    /// What the broker is known to have; none before it has said so.
    reached: watch::Sender<Option<i64>>,
}

impl Relay {
    /// A relay of what is safe to be read, if the settings name a broker.
    #[must_use]
    pub fn configured(pool: PgPool, safe: watch::Receiver<i64>, config: Config) -> Option<Self> {
        let url = config.nats_url.clone()?;
        Some(Self { pool, safe, config, url, reached: watch::Sender::default() })
    }

    /// Relays until it is told to stop; a broker that is away is waited for.
    ///
    /// Two processes that relay into the same stream do no harm: what one has sent the other is refused, and goes on behind it.
    pub async fn run(self, stop: CancellationToken) {
        let work = async { tokio::join!(self.relay(), self.measure()) };
        stop.run_until_cancelled(Box::pin(work)).await;
    }

    /// Relays over one connection after the other; what keeps it from going on is said once, until it is something else.
    async fn relay(&self) -> Infallible {
        let (mut trouble, mut backoff) = (None, BACKOFF_MIN);
        loop {
            let Err(error) = self.session(&mut trouble).await;
            backoff = if trouble.is_some() { (backoff * 2).min(BACKOFF_MAX) } else { BACKOFF_MIN };
            let said = Some(error.to_string());
            if trouble != said {
                let error: &dyn Error = &error;
                tracing::error!(error, "events are not relayed");
                trouble = said;
            }
            sleep(backoff).await;
        }
    }

    /// Relays over one connection, until it fails.
    async fn session(&self, trouble: &mut Option<String>) -> Result<Infallible, RelayError> {
        let mut outlet = Outlet::open(&self.url, &self.config).await?;
        let mut position = match outlet.held() {
            Held::Nothing => 0,
            Held::NoMore => self.kept().await?,
            Held::Last(last) => {
                last.find(&self.pool).await??;
                last.position
            }
        };
        self.reached.send_replace(Some(position));
        if trouble.take().is_some() {
            tracing::info!(position, "events are relayed again");
        }
        loop {
            let safe = self.news(position, &outlet).await?;
            let page = eventlog::read(&self.pool, position, Some(safe), PAGE).await?;
            outlet.publish(&page).await?;
            position = page.last().map_or(safe, |event| event.position);
            self.reached.send_replace(Some(position));
            self.keep(position).await?;
        }
    }

    /// Measures again and again what waits for the broker, above all while it is away.
    async fn measure(&self) -> Infallible {
        let mut waiting = Waiting::new();
        let mut turn = interval(MEASURE_PAUSE);
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let now = turn.tick().await.into_std();
            let reached = *self.reached.borrow();
            let reached = match reached {
                Some(position) => Ok(position),
                None => self.kept().await,
            };
            // Without the database it is not known how far the log is, and others say that it is away.
            if let Ok(reached) = reached {
                waiting.saw(*self.safe.borrow(), reached, now);
            }
        }
    }

    /// Waits for events behind the position, and answers with the watermark.
    async fn news(&self, position: i64, outlet: &Outlet) -> Result<i64, RelayError> {
        let news = async {
            let mut safe = self.safe.clone();
            let beyond = safe.wait_for(|safe| *safe > position).await.ok().map(|safe| *safe);
            match beyond {
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
