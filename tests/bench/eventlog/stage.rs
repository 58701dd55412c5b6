//! One private Postgres for everything, with fsync on.

use std::path::{Path, PathBuf};

use boot::database::Database;
use boot::postgres::{Cluster, ClusterConfig};
use eventlog::Feed;
use prost::Message;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection};
use tokio_util::sync::CancellationToken;

use crate::event;
use crate::pgbench::Pgbench;

/// Events that are filled in at once.
const FILL: usize = 500_000;

const FILLING: &str = "insert into eventlog.events
    (stream_kind, stream_id, version, event_id, name, schema_version, payload, recorded_at)
select $1, stream.id, nr % 10 + 1, stream.id, $2, 1, $3, now()
from generate_series($4::bigint, $5::bigint - 1) as nr,
     lateral (select (lpad(to_hex(nr / 10), 12, '0') || '7' || substr(md5((nr / 10)::text), 1, 19))::uuid) as stream (id)";

/// The server and what runs beside it.
#[derive(Debug)]
pub(crate) struct Stage {
    cluster: Cluster,
    pgbench: Pgbench,
}

/// A database with an event log.
pub(crate) struct Log {
    database: Database,
    /// Of a service that appends and projects; it may make tables for its read models.
    pub(crate) service: PgPool,
    /// Of the owner of everything.
    pub(crate) owner: PgPool,
}

impl Stage {
    /// Starts the server in this folder.
    pub(crate) async fn set(folder: &Path) -> anyhow::Result<Self> {
        let cluster = Cluster::start(ClusterConfig::in_dir(folder)).await?;
        let pgbench = Pgbench::beside(&cluster, folder)?;
        Ok(Self { cluster, pgbench })
    }

    pub(crate) fn pgbench(&self) -> &Pgbench {
        &self.pgbench
    }

    pub(crate) fn sockets(&self) -> PathBuf {
        self.cluster.socket_dir().to_owned()
    }

    /// The process id of the server.
    pub(crate) fn postmaster(&self) -> u32 {
        self.cluster.postmaster().unwrap_or_default()
    }

    /// An empty log in a database of this name.
    pub(crate) async fn log(&self, name: &str) -> anyhow::Result<Log> {
        let database = Database::named(&self.cluster, name).await?;
        eventlog::migrate(&database.pool("eventlog")).await?;
        let owner = PgPoolOptions::new().max_connections(2).connect_with(database.admin_options()).await?;
        Ok(Log { service: database.pool("enrollment"), database, owner })
    }

    /// An empty database.
    pub(crate) async fn create(&self, name: &str) -> anyhow::Result<()> {
        self.server(format!("create database {name}")).await
    }

    /// Removes a database, whoever is connected.
    pub(crate) async fn drop(&self, name: &str) -> anyhow::Result<()> {
        self.server(format!("drop database {name} with (force)")).await
    }

    /// Ends the server.
    pub(crate) async fn clear(self) {
        self.cluster.stop().await;
    }

    async fn server(&self, statement: String) -> anyhow::Result<()> {
        let mut server = PgConnection::connect_with(&self.cluster.superuser_options("postgres")).await?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut server).await?;
        Ok(server.close().await?)
    }
}

impl Log {
    /// Delivers this log until it is drained.
    pub(crate) fn feed(&self) -> Feed {
        Feed::start(self.database.pool("feed"), CancellationToken::new())
    }

    /// Connections of the service that nobody else uses.
    pub(crate) fn appending(&self) -> PgPool {
        self.database.pool("enrollment")
    }

    /// The name of its database.
    pub(crate) fn name(&self) -> &str {
        self.database.name()
    }

    /// How many events it holds.
    pub(crate) async fn count(&self) -> anyhow::Result<u64> {
        let count: i64 =
            sqlx::query_scalar("select count(*) from eventlog.events").fetch_one(&self.owner).await?;
        Ok(u64::try_from(count)?)
    }

    /// Fills it within the server: streams of ten, with ids ordered by time as real ones are.
    pub(crate) async fn fill(&self, from: u64, to: u64) -> anyhow::Result<()> {
        let payload = event::message(0).encode_to_vec();
        for begin in (from..to).step_by(FILL) {
            let end = to.min(begin + FILL as u64);
            sqlx::query(FILLING)
                .bind(event::KIND)
                .bind(event::name())
                .bind(&payload)
                .bind(i64::try_from(begin)?)
                .bind(i64::try_from(end)?)
                .execute(&self.owner)
                .await?;
        }
        sqlx::raw_sql("analyze eventlog.events").execute(&self.owner).await?;
        sqlx::raw_sql("checkpoint").execute(&self.owner).await?;
        Ok(())
    }
}
