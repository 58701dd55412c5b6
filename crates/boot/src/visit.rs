//! The database for an operator's command, beside the system that runs or while nothing does.

use crate::database::Database;
use crate::postgres::{self, Cluster};
use crate::{Config, StartError};

/// The database that the settings name, for as long as a command takes.
pub struct Visit {
    /// The database.
    pub database: Database,
    pub(crate) cluster: Option<Cluster>,
}

impl Visit {
    /// Connects to the existing server, or to the private one that another process runs here, or starts that for itself.
    ///
    /// # Errors
    /// [`StartError::NoData`] if the data directory holds no database, which no command makes.
    pub async fn to(config: &Config) -> Result<Self, StartError> {
        if let Some(url) = config.database_url().map_err(StartError::DatabaseUrlFile)? {
            return Ok(Self { database: Database::from_url(url.expose())?, cluster: None });
        }
        if let Some(server) = postgres::running(&config.cluster) {
            return Ok(Self { database: Database::running(server), cluster: None });
        }
        let data_dir = &config.cluster.data_dir;
        if !data_dir.join("postgres").exists() {
            return Err(StartError::NoData(data_dir.clone()));
        }
        let cluster = Cluster::start(config.cluster.clone()).await?;
        Ok(Self { database: Database::private(&cluster).await?, cluster: Some(cluster) })
    }

    /// Brings the event log's schema up to date, for a command that needs no service.
    ///
    /// # Errors
    /// [`StartError::Database`] if the server is not prepared, [`StartError::Log`] if the schema cannot be migrated.
    pub async fn migrate(&self) -> Result<(), StartError> {
        self.database.check(&["eventlog"]).await?;
        Ok(eventlog::migrate(&self.database.pool("eventlog")).await?)
    }

    /// Stops the Postgres that was started for the command.
    pub async fn end(self) {
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
        }
    }
}
