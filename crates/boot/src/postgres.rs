//! The private Postgres: a real server that Updraft runs for itself.
//!
//! It listens on a unix socket in a directory that nobody else may enter, never on TCP, and ends with the process
//! that started it, even if that is killed. To be read in this order: `programs` finds the server, `account` runs
//! it unprivileged, `directory` holds its files, `server` is one run of it, `keeper` keeps it running.

mod account;
mod directory;
mod error;
mod keeper;
mod programs;
mod ready;
mod server;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use sqlx::ConnectOptions;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{oneshot, watch};

pub use self::error::PostgresError;
use self::keeper::{Ending, Handle};

/// The role that owns the cluster.
const SUPERUSER: &str = "postgres";
/// How long a fast shutdown may take before it becomes an immediate one.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// How often to look whether a server that ends has ended.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// Where the private Postgres lives and with which programs.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct ClusterConfig {
    /// Everything that Updraft keeps on this machine.
    #[arg(long, env = "UPDRAFT_DATA_DIR", default_value = ".updraft")]
    pub data_dir: PathBuf,
    /// The folder of the Postgres programs; looked for in the usual places if not given.
    #[arg(long, env = "UPDRAFT_POSTGRES_BIN")]
    pub postgres_bin: Option<PathBuf>,
    /// Whether commits survive a crash of the machine; only tests do without.
    #[arg(skip = true)]
    pub durable: bool,
}

impl ClusterConfig {
    /// A durable cluster in this directory.
    #[must_use]
    pub fn in_dir(data_dir: impl Into<PathBuf>) -> Self {
        let postgres_bin = std::env::var_os("UPDRAFT_POSTGRES_BIN").map(PathBuf::from);
        Self { data_dir: data_dir.into(), postgres_bin, durable: true }
    }
}

/// How to connect as the cluster's owner to the private Postgres that another process runs in this data directory, if one does.
///
/// A server that is about to end, as its process was killed, is waited for: then there is none.
pub(crate) async fn running(config: &ClusterConfig) -> Option<PgConnectOptions> {
    let account = account::Account::choose().ok()?;
    loop {
        let sockets = directory::listening(&config.data_dir, &account)?;
        let server = PgConnectOptions::new_without_pgpass().socket(sockets).username(SUPERUSER);
        match server.clone().database("postgres").connect().await {
            Err(error) if is_passing(&error) => tokio::time::sleep(LOOK_PAUSE).await,
            _ => return Some(server),
        }
    }
}

/// Whether a server starts or ends, and so soon listens to us or to nobody.
fn is_passing(error: &sqlx::Error) -> bool {
    const CANNOT_CONNECT_NOW: &str = "57P03";
    error.as_database_error().and_then(DatabaseError::code).is_some_and(|code| code == CANNOT_CONNECT_NOW)
        || matches!(error, sqlx::Error::Io(_))
}

/// A running private Postgres; it stops when this value is dropped.
///
/// A server that ends by itself is started anew. Connections break then; pools open new ones.
#[derive(Debug)]
pub struct Cluster {
    sockets: PathBuf,
    handle: Arc<Handle>,
    ending: watch::Receiver<Option<Ending>>,
}

impl Cluster {
    /// Takes the data directory and starts its server.
    ///
    /// The very first start makes a new cluster.
    ///
    /// # Errors
    /// [`PostgresError`], each a sentence for the operator.
    pub async fn start(config: ClusterConfig) -> Result<Self, PostgresError> {
        let handle = Arc::new(Handle::default());
        let (started, start) = oneshot::channel();
        let (end, ending) = watch::channel(None);
        let kept = Arc::clone(&handle);
        let thread = std::thread::Builder::new().name("postgres".to_owned()).spawn(move || {
            let how = keeper::keep(&config, &kept, started);
            end.send_replace(Some(how));
        });
        thread.map_err(PostgresError::io("start a thread for", "postgres"))?;
        let sockets = start.await.unwrap_or_else(|_| {
            let lost = std::io::Error::other("its keeper ended");
            Err(PostgresError::io("start", "postgres")(lost))
        })?;
        Ok(Self { sockets, handle, ending })
    }

    /// How to connect to `database` as `role`; every local role is trusted.
    #[must_use]
    pub fn connect_options(&self, role: &str, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(&self.sockets).username(role).database(database)
    }

    /// How to connect to `database` as the cluster's owner.
    #[must_use]
    pub fn superuser_options(&self, database: &str) -> PgConnectOptions {
        self.connect_options(SUPERUSER, database)
    }

    /// The directory of the server's socket.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.sockets
    }

    /// The process id of the server, if it runs at this moment.
    #[must_use]
    pub fn postmaster(&self) -> Option<u32> {
        self.handle.postmaster().map(|pid| pid.as_raw_nonzero().get().unsigned_abs())
    }

    /// Waits until the server is given up, which the process should not survive.
    ///
    /// Never returns while the server runs or after it was stopped.
    pub async fn given_up(&self) -> PostgresError {
        let mut ending = self.ending.clone();
        if let Ok(end) = ending.wait_for(Option::is_some).await
            && let Some(Ending::GaveUp { times, log }) = end.clone()
        {
            return PostgresError::GaveUp { times, log };
        }
        std::future::pending().await
    }

    /// Stops the server and waits until it has ended; the last thing a process does.
    pub async fn stop(mut self) {
        self.handle.stop();
        let ended = self.ending.wait_for(Option::is_some);
        if tokio::time::timeout(STOP_TIMEOUT, ended).await.is_err() {
            tracing::warn!("Postgres takes too long to stop and is stopped at once");
            self.handle.signal(Signal::QUIT);
            // Its keeper outlives every sender, so that there is no error to be told of.
            let _ = self.ending.wait_for(Option::is_some).await;
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.handle.stop();
    }
}
