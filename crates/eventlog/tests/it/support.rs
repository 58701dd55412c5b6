//! A migrated database for each test.

use std::time::Duration;

use boot::database::Database as Prepared;
use boot::scratch::{self, Scratch};
use eventlog::BoxError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, PgPool};

/// A database with the event log, and `seen`, the table in which the tests note what was delivered.
pub(crate) struct Database {
    /// Connects as a service does: it may append and follow, and owns `seen` and `totals`.
    pub(crate) pool: PgPool,
    /// Connects as the feed does.
    pub(crate) feed: PgPool,
    /// Connects as the administrator.
    pub(crate) admin: PgPool,
    /// Connects as the owner of the log.
    pub(crate) owner: PgPool,
    scratch: Scratch,
}

impl Database {
    pub(crate) async fn create() -> Self {
        let scratch = scratch::database("eventlog", fill).await.unwrap();
        let options = scratch.admin_options();
        Self {
            pool: connect(options.clone().username("updraft_matching"), 24),
            feed: connect(options.clone().username("updraft_feed"), 8),
            owner: connect(options.clone().username("updraft_eventlog"), 2),
            admin: connect(options, 4),
            scratch,
        }
    }

    /// More connections of a service.
    pub(crate) fn services(&self, connections: u32) -> PgPool {
        connect(self.scratch.admin_options().username("updraft_matching"), connections)
    }

    /// Connections to another database of the same server.
    pub(crate) fn elsewhere(&self) -> PgPool {
        connect(self.scratch.admin_options().database("postgres"), 1)
    }

    /// What a process of its own connects with: its feed and its service.
    pub(crate) fn process(&self) -> (PgPool, PgPool) {
        (connect(self.scratch.admin_options().username("updraft_feed"), 8), self.services(8))
    }

    pub(crate) fn name(&self) -> &str {
        self.scratch.name()
    }

    /// Ends every connection of the services and the feed, as a restart of the server does.
    pub(crate) async fn kill_connections(&self) -> u64 {
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and usename in ('updraft_matching', 'updraft_feed')",
        )
        .execute(&self.admin)
        .await
        .unwrap()
        .rows_affected()
    }
}

/// More connections than a service has, for tests that race.
fn connect(options: PgConnectOptions, connections: u32) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(connections);
    pool.acquire_timeout(Duration::from_secs(10)).connect_lazy_with(options)
}

pub(crate) async fn fill(database: &Prepared) -> Result<(), BoxError> {
    let owner = database.pool("eventlog");
    eventlog::migrate(&owner).await?;
    eventlog::migrate(&owner).await?;
    let tables = "create table matching.totals (id uuid primary key, total bigint not null);
                  create table matching.seen (
                      n bigint generated always as identity,
                      follower text, position bigint, stream uuid, version bigint)";
    database.pool("matching").execute(tables).await?;
    Ok(())
}
