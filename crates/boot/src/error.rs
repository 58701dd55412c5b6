//! Why a process does not start.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use eventlog::BoxError;
use telemetry::TelemetryError;

use crate::database::DatabaseError;
use crate::postgres::PostgresError;
use crate::tls::TlsError;

/// Exit code of a bad setting, as sysexits.h has it (`EX_USAGE`).
pub(crate) const USAGE: u8 = 64;

/// Why a process does not start, each in one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file named by `UPDRAFT_DATABASE_URL_FILE` cannot be read.
    #[error("the file that holds the database URL cannot be read")]
    DatabaseUrlFile(#[source] std::io::Error),
    /// There is nothing yet that a command could be about.
    #[error("{} holds no data: set UPDRAFT_DATA_DIR or UPDRAFT_DATABASE_URL", .0.display())]
    NoData(PathBuf),
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
    /// A rebuild cannot be done; what there was is still in place.
    #[error("the read models of {service} cannot be rebuilt")]
    Rebuild {
        /// The service.
        service: &'static str,
        /// What went wrong.
        source: BoxError,
    },
    /// No service has this name.
    #[error("there is no service {0} with read models")]
    NoService(String),
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
    /// The files of TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Gateway and HR systems would send their tokens over the network for anybody to read.
    #[error(
        "gRPC would listen on {0} without TLS: set UPDRAFT_GRPC_TLS_CERT_FILE and UPDRAFT_GRPC_TLS_KEY_FILE, or \
         UPDRAFT_GRPC_PLAINTEXT to true if a proxy before it ends TLS"
    )]
    Plaintext(SocketAddr),
    /// The interfaces cannot be described.
    #[error("gRPC reflection cannot be set up")]
    Reflection(#[source] tonic_reflection::server::Error),
    /// Telemetry cannot be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The system refused something.
    #[error("the operating system refused")]
    Io(#[source] std::io::Error),
}

impl StartError {
    /// Whether the operator gave a setting that cannot be followed.
    fn is_setting(&self) -> bool {
        match self {
            Self::Telemetry(error) => is_telemetry_setting(error),
            Self::DatabaseUrlFile(_)
            | Self::NoData(_)
            | Self::NoService(_)
            | Self::Database(DatabaseError::Url(_))
            | Self::Postgres(PostgresError::BadPrograms { .. })
            | Self::Tls(_)
            | Self::Plaintext(_)
            | Self::Taken { .. }
            | Self::Listen { .. } => true,
            _ => false,
        }
    }
}

fn is_telemetry_setting(error: &TelemetryError) -> bool {
    use TelemetryError::{Certificate, Exporter, Filter, Protocol};
    matches!(error, Filter(_) | Exporter(_) | Protocol(_) | Certificate(_))
}

/// Says on standard error why a process ends, with every cause, and makes the exit code: 64 for a bad setting, else 1.
pub fn report(failure: &anyhow::Error) -> ExitCode {
    eprintln!("updraft: {failure:#}");
    let setting = failure.downcast_ref().is_some_and(StartError::is_setting)
        || failure.downcast_ref().is_some_and(is_telemetry_setting)
        || matches!(failure.downcast_ref(), Some(DatabaseError::Url(_)));
    if setting { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_setting_exits_with_64_and_a_failure_with_1() {
        let code = |failure: anyhow::Error| format!("{:?}", report(&failure));
        let (setting, failure) = (format!("{:?}", ExitCode::from(USAGE)), format!("{:?}", ExitCode::FAILURE));
        let taken =
            StartError::Taken { address: ([127, 0, 0, 1], 8090).into(), setting: "UPDRAFT_GRPC_LISTEN" };
        assert_eq!(code(anyhow::Error::new(taken).context("while starting")), setting);
        assert_eq!(code(StartError::Telemetry(TelemetryError::Protocol("http".to_owned())).into()), setting);
        assert_eq!(code(TelemetryError::Protocol("http".to_owned()).into()), setting);
        assert_eq!(code(DatabaseError::Url(sqlx::Error::PoolClosed).into()), setting);
        assert_eq!(code(DatabaseError::Connect(sqlx::Error::PoolClosed).into()), failure);
        assert_eq!(code(StartError::Telemetry(TelemetryError::AlreadyStarted).into()), failure);
        assert_eq!(code(anyhow::anyhow!("the report could not be written")), failure);
    }
}
