//! The settings that every process has.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::postgres::ClusterConfig;
use crate::tls::TlsConfig;

/// The settings of a process, besides those of its services.
#[derive(Args, Clone)]
#[group(skip)]
pub struct Config {
    /// The private Postgres, used unless a database URL is given.
    #[command(flatten)]
    pub cluster: ClusterConfig,
    /// An existing Postgres, such as <postgres://user@host/database>; none starts a private one.
    #[arg(long, env = "UPDRAFT_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<Secret>,
    /// A file that holds the database URL.
    #[arg(long, env = "UPDRAFT_DATABASE_URL_FILE", conflicts_with = "database_url")]
    pub database_url_file: Option<PathBuf>,
    /// Where gRPC listens, for HR systems and the gateway.
    #[arg(long, env = "UPDRAFT_GRPC_LISTEN", default_value = "127.0.0.1:8090")]
    pub grpc_listen: SocketAddr,
    /// How gRPC is protected on its way.
    #[command(flatten)]
    pub tls: TlsConfig,
    /// Where operators look: /livez, /readyz, /metrics.
    #[arg(long, env = "UPDRAFT_ADMIN_LISTEN", default_value = "127.0.0.1:8099")]
    pub admin_listen: SocketAddr,
    /// Whether gRPC reflection tells the interfaces to anybody who asks.
    #[arg(long, env = "UPDRAFT_GRPC_REFLECTION", default_value_t = false)]
    pub grpc_reflection: bool,
    /// The keys that sign and verify who calls, as PEM; made in the data directory if not given.
    #[arg(long, env = "UPDRAFT_IDENTITY_KEY_FILE")]
    pub identity_key_file: Option<PathBuf>,
    /// The key that wraps the keys of people; made in the data directory if not given. Without it nothing sealed opens.
    #[arg(long, env = "UPDRAFT_VAULT_KEY_FILE")]
    pub vault_key_file: Option<PathBuf>,
    /// Logs, metrics and traces.
    #[command(flatten)]
    pub telemetry: telemetry::Config,
}

/// A value that is never shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The value itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value.trim().to_owned())
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(value.to_owned()))
    }
}

impl Config {
    /// Where the identity keys are.
    #[must_use]
    pub fn identity_key_path(&self) -> PathBuf {
        self.identity_key_file.clone().unwrap_or_else(|| self.cluster.data_dir.join("identity.pem"))
    }

    /// Where the vault's master key is.
    #[must_use]
    pub fn vault_key_path(&self) -> PathBuf {
        self.vault_key_file.clone().unwrap_or_else(|| self.cluster.data_dir.join("vault.key"))
    }

    /// The URL of an existing database, if one is to be used.
    ///
    /// # Errors
    /// If the file that should hold it cannot be read.
    pub fn database_url(&self) -> std::io::Result<Option<Secret>> {
        match (&self.database_url, &self.database_url_file) {
            (Some(url), _) => Ok(Some(url.clone())),
            (None, Some(file)) => std::fs::read_to_string(file).map(|text| Some(Secret::from(text))),
            (None, None) => Ok(None),
        }
    }
}
