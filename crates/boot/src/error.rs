//! Why a process does not start.

use std::net::SocketAddr;
use std::process::ExitCode;

use eventlog::BoxError;

use crate::database::DatabaseError;
use crate::postgres::PostgresError;

/// Exit code of a bad setting, as sysexits.h has it (`EX_USAGE`).
const USAGE: u8 = 64;

/// Why a process does not start, each in one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file named by `UPDRAFT_DATABASE_URL_FILE` cannot be read.
    #[error("the file that holds the database URL cannot be read")]
    DatabaseUrlFile(#[source] std::io::Error),
    /// The private Postgres does not run.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The identity keys cannot be used.
    #[error(transparent)]
    Keys(#[from] identity::KeyError),
    /// The policies do not fit their schema.
    #[error(transparent)]
    Policies(#[from] identity::PolicyError),
    /// The vault's master key cannot be used.
    #[error(transparent)]
    MasterKey(#[from] vault::MasterKeyError),
    /// The vault cannot be used.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The event log cannot be used.
    #[error(transparent)]
    Log(#[from] eventlog::Error),
    /// A schema cannot be brought up to date.
    #[error("the schema of {service} cannot be brought up to date")]
    Migration {
        /// The service.
        service: &'static str,
        /// What the database said.
        source: sqlx::migrate::MigrateError,
    },
    /// A replay cannot be done.
    #[error("the events of {service} cannot be replayed")]
    Replay {
        /// The service.
        service: &'static str,
        /// What went wrong.
        source: BoxError,
    },
    /// An address is in use.
    #[error("{address} is taken by another process: end that one, or set {setting} to another address")]
    Taken {
        /// The address.
        address: SocketAddr,
        /// The environment variable that sets it.
        setting: &'static str,
    },
    /// An address cannot be listened on.
    #[error("{address} cannot be listened on")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The interfaces cannot be described.
    #[error("gRPC reflection cannot be set up")]
    Reflection(#[source] tonic_reflection::server::Error),
    /// Telemetry cannot be set up.
    #[error(transparent)]
    Telemetry(#[from] telemetry::TelemetryError),
    /// The system refused something.
    #[error("the operating system refused")]
    Io(#[source] std::io::Error),
}

/// Says on standard error why a process does not start, with every cause, and makes the exit code.
pub fn report(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    let mut sentence = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        sentence.push_str(": ");
        sentence.push_str(&cause.to_string());
        source = cause.source();
    }
    eprintln!("updraft: {sentence}");
    ExitCode::from(USAGE)
}
