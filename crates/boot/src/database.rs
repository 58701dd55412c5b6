//! The database: a role and a schema per service, and pools that can do no more than their role.

mod plan;

use std::fmt;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::postgres::Cluster;

/// The name of the database in a private cluster.
const DATABASE: &str = "updraft";
/// Enough for a service on one machine; nine roles stay far below the server's limit.
const CONNECTIONS_MAX: u32 = 8;
/// A caller is told that the database is away before he gives up himself.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that was used so recently is not asked whether it is still alive.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// Whoever prepares roles or schemas holds this advisory lock; its number means nothing.
const PREPARING: i64 = 0x7570_6472_6166_7421;

/// A database on the private Postgres or on an existing server.
#[derive(Clone)]
pub struct Database {
    admin: PgConnectOptions,
    logins: Logins,
}

/// How a connection comes to its service's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Logins {
    /// Every role logs in itself, which the private cluster trusts.
    Each,
    /// The user of the URL logs in and takes the role, or is the role.
    One,
}

/// Why the database cannot be used, each in one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The URL cannot be understood.
    #[error("UPDRAFT_DATABASE_URL is no URL of a Postgres database")]
    Url(#[source] sqlx::Error),
    /// The server cannot be reached or refuses the user.
    #[error("the database cannot be reached")]
    Connect(#[source] sqlx::Error),
    /// A statement failed.
    #[error("the database refused to {action}")]
    Refused {
        /// What was to be done.
        action: String,
        /// The server's answer.
        source: sqlx::Error,
    },
    /// Roles or schemas are missing.
    #[error(
        "the database lacks {missing}: run what `updraft database plan` prints, or `updraft database apply`"
    )]
    Unprepared {
        /// The roles and schemas which the user cannot use or which are not there.
        missing: String,
    },
}

impl Database {
    /// The database of the private cluster, made and prepared if it is not yet.
    ///
    /// # Errors
    /// [`DatabaseError::Connect`] and [`DatabaseError::Refused`] if the server fails meanwhile.
    pub async fn private(cluster: &Cluster) -> Result<Self, DatabaseError> {
        Self::named(cluster, DATABASE).await
    }

    /// As [`Database::private`], with a name of its own.
    ///
    /// # Errors
    /// As [`Database::private`].
    pub async fn named(cluster: &Cluster, name: &str) -> Result<Self, DatabaseError> {
        let database = Self { admin: cluster.superuser_options(name), logins: Logins::Each };
        let mut server = connect(&cluster.superuser_options("postgres")).await?;
        let there = sqlx::query_scalar("select exists (select from pg_database where datname = $1)");
        let there: bool = there.bind(name).fetch_one(&mut server).await.map_err(DatabaseError::Connect)?;
        if !there {
            run(&mut server, format!("create database {}", plan::quoted(name))).await?;
        }
        database.apply().await?;
        Ok(database)
    }

    /// The database of an existing server, which [`Database::check`] finds prepared or not.
    ///
    /// # Errors
    /// [`DatabaseError::Url`] if `url` cannot be understood.
    pub fn from_url(url: &str) -> Result<Self, DatabaseError> {
        let admin = url.parse().map_err(DatabaseError::Url)?;
        Ok(Self { admin, logins: Logins::One })
    }

    /// The database of the private cluster that another process runs, as that has prepared it.
    pub(crate) fn running(server: PgConnectOptions) -> Self {
        Self { admin: server.database(DATABASE), logins: Logins::Each }
    }

    /// The SQL an administrator has to run once, statement by statement.
    ///
    /// Running it again is harmless.
    #[must_use]
    pub fn plan(&self) -> Vec<String> {
        let user = (self.logins == Logins::One).then(|| self.admin.get_username());
        plan::statements(self.name(), user)
    }

    /// Runs the plan as the user of this database, who must be allowed to.
    ///
    /// # Errors
    /// [`DatabaseError::Refused`] with the statement that failed; then none has had an effect.
    pub async fn apply(&self) -> Result<(), DatabaseError> {
        // Roles belong to the whole server: in a private cluster, all its databases wait for each other here.
        let guarded = match self.logins {
            Logins::Each => self.admin.clone().database("postgres"),
            Logins::One => self.admin.clone(),
        };
        let mut guard = connect(&guarded).await?;
        let lock = sqlx::query("select pg_advisory_lock($1)").bind(PREPARING);
        lock.execute(&mut guard).await.map_err(DatabaseError::Connect)?;

        let mut connection = connect(&self.admin).await?;
        let mut transaction = connection.begin().await.map_err(DatabaseError::Connect)?;
        run(&mut transaction, "set local client_min_messages = warning".to_owned()).await?;
        for statement in self.plan() {
            run(&mut transaction, statement).await?;
        }
        transaction.commit().await.map_err(DatabaseError::Connect)?;
        guard.close().await.map_err(DatabaseError::Connect)
    }

    /// Whether the roles and schemas of these services are there and may be used.
    ///
    /// # Errors
    /// [`DatabaseError::Unprepared`] names what is missing.
    pub async fn check(&self, services: &[&str]) -> Result<(), DatabaseError> {
        let mut connection = connect(&self.admin).await?;
        let missing: Vec<String> = sqlx::query_scalar(
            "select 'role ' || wanted.role from unnest($1::text[]) as wanted (role)
             left join pg_roles on rolname = wanted.role
             where rolname is null or not pg_has_role(current_user, pg_roles.oid, 'member')
             union all
             select 'schema ' || wanted.schema from unnest($2::text[]) as wanted (schema)
             where to_regnamespace(wanted.schema) is null
             order by 1",
        )
        .bind(services.iter().map(|service| plan::role(service)).collect::<Vec<_>>())
        .bind(services.iter().filter(|service| !plan::WITHOUT_SCHEMA.contains(service)).collect::<Vec<_>>())
        .fetch_all(&mut connection)
        .await
        .map_err(DatabaseError::Connect)?;
        if missing.is_empty() {
            return Ok(());
        }
        Err(DatabaseError::Unprepared { missing: missing.join(", ") })
    }

    /// The connections of a service (or `eventlog`, `vault`, `feed`, `reader`), opened when they are needed.
    ///
    /// They have the rights of its role and its schema as search path. Pools heal when the server comes back.
    #[must_use]
    pub fn pool(&self, service: &str) -> PgPool {
        let role = plan::role(service);
        let name = format!("updraft-{service}");
        let mut options = self.admin.clone().application_name(&name);
        if self.logins == Logins::Each {
            options = options.username(&role);
        }
        let session = session(service, &role);
        PgPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, metadata| {
                Box::pin(async move {
                    // A busy connection is known to be alive; asking it each time would double the round trips.
                    Ok(metadata.idle_for < TRUSTED_FOR || connection.ping().await.is_ok())
                })
            })
            .after_connect(move |connection, _| {
                let session = session.clone();
                Box::pin(async move {
                    sqlx::raw_sql(AssertSqlSafe(session)).execute(connection).await?;
                    Ok(())
                })
            })
            .connect_lazy_with(options)
    }

    /// The connection options of the user who owns this database.
    #[must_use]
    pub fn admin_options(&self) -> PgConnectOptions {
        self.admin.clone()
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.admin.get_database().unwrap_or(self.admin.get_username())
    }

    /// A copy of this database, to which nobody may be connected meanwhile.
    ///
    /// Copying the files takes a tenth of the time that migrating anew does.
    ///
    /// # Errors
    /// [`DatabaseError::Refused`] if `name` exists already or this database is in use.
    pub async fn copy(&self, name: &str) -> Result<Self, DatabaseError> {
        let (copy, template) = (plan::quoted(name), plan::quoted(self.name()));
        let mut server = connect(&self.admin.clone().database("postgres")).await?;
        run(&mut server, format!("create database {copy} template {template} strategy file_copy")).await?;
        Ok(Self { admin: self.admin.clone().database(name), logins: self.logins })
    }

    /// Ends all connections to this database, so that it can be copied.
    ///
    /// # Errors
    /// [`DatabaseError::Connect`] if the server fails meanwhile.
    pub async fn disconnect(&self) -> Result<(), DatabaseError> {
        let mut server = connect(&self.admin.clone().database("postgres")).await?;
        let end = sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1");
        end.bind(self.name()).execute(&mut server).await.map(drop).map_err(DatabaseError::Connect)
    }

    /// Removes this database with all it holds, even while it is in use.
    ///
    /// # Errors
    /// [`DatabaseError::Refused`] if the user does not own it.
    pub async fn remove(self) -> Result<(), DatabaseError> {
        let mut server = connect(&self.admin.clone().database("postgres")).await?;
        run(&mut server, format!("drop database if exists {} with (force)", plan::quoted(self.name()))).await
    }
}

impl fmt::Debug for Database {
    /// Without the options of its connections, which may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Database").field(&self.name()).finish()
    }
}

/// What every connection of a service begins with.
///
/// An append that is left open holds up everybody who follows the log, so the server ends it.
fn session(service: &str, role: &str) -> String {
    let (statement_timeout, read_only) =
        if service == plan::READER { ("300s", "on") } else { ("30s", "off") };
    format!(
        "set role {role}; set search_path to {service}; set statement_timeout to '{statement_timeout}';
         set idle_in_transaction_session_timeout to '15s'; set default_transaction_read_only to {read_only}",
        role = plan::quoted(role),
        service = plan::quoted(service),
    )
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, DatabaseError> {
    options.connect().await.map_err(DatabaseError::Connect)
}

async fn run(connection: &mut PgConnection, statement: String) -> Result<(), DatabaseError> {
    let done = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(connection).await;
    done.map(drop).map_err(|source| DatabaseError::Refused { action: statement, source })
}
