//! A private Postgres for the run, and a migrated database for each test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use tokio::sync::OnceCell;

/// A database with the event log, and `seen`, the table in which the tests note what was delivered.
pub(crate) struct Database {
    /// Connects as a service does: it may append and follow, and owns `seen` and `totals`.
    pub(crate) pool: PgPool,
    /// Connects as the administrator.
    pub(crate) admin: PgPool,
}

impl Database {
    pub(crate) async fn create() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let template = template().await;
        let name = format!("{template}_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        administer(&[&format!("create database {name} template {template} strategy file_copy")]).await;
        let options = server().clone().database(&name);
        Self {
            pool: connect(options.clone().username("updraft_tests"), 24).await,
            admin: connect(options, 2).await,
        }
    }

    /// Ends every connection of the services, as a restart of the server does.
    pub(crate) async fn kill_connections(&self) -> u64 {
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and usename = 'updraft_tests'",
        )
        .execute(&self.admin)
        .await
        .unwrap()
        .rows_affected()
    }
}

async fn connect(options: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options)
        .await
        .unwrap()
}

async fn administer(statements: &[&str]) {
    let mut conn = PgConnection::connect_with(server()).await.unwrap();
    for statement in statements {
        conn.execute(AssertSqlSafe(*statement)).await.unwrap();
    }
    conn.close().await.unwrap();
}

/// The database that each test gets a copy of.
async fn template() -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let name = format!("updraft_eventlog_{}", std::process::id());
            administer(&[
                "do $$ begin create role updraft_service nologin; exception when duplicate_object then end $$",
                "do $$ begin create role updraft_eventlog login; exception when duplicate_object then end $$",
                "do $$ begin create role updraft_tests login in role updraft_service;
                 exception when duplicate_object then end $$",
                &format!("create database {name}"),
            ])
            .await;

            let options = server().clone().database(&name);
            let mut admin = PgConnection::connect_with(&options).await.unwrap();
            admin
                .execute(
                    "create schema eventlog authorization updraft_eventlog;
                     create schema updraft_tests authorization updraft_tests",
                )
                .await
                .unwrap();
            let owner = connect(options.clone().username("updraft_eventlog"), 1).await;
            eventlog::migrate(&owner).await.unwrap();
            eventlog::migrate(&owner).await.unwrap();
            owner.close().await;

            let mut service = PgConnection::connect_with(&options.username("updraft_tests")).await.unwrap();
            service
                .execute(
                    "create table updraft_tests.totals (id uuid primary key, total bigint not null);
                     create table updraft_tests.seen (
                         n bigint generated always as identity,
                         follower text, position bigint, stream uuid, version bigint)",
                )
                .await
                .unwrap();
            service.close().await.unwrap();
            admin.close().await.unwrap();
            name
        })
        .await
}

/// The server of this run: a private one, or the one that `UPDRAFT_TEST_POSTGRES` names, where the databases stay to be
/// looked at.
fn server() -> &'static PgConnectOptions {
    static SERVER: LazyLock<PgConnectOptions> =
        LazyLock::new(|| match std::env::var("UPDRAFT_TEST_POSTGRES") {
            Ok(url) => PgConnectOptions::from_str(&url).unwrap(),
            Err(_) => PgConnectOptions::new_without_pgpass()
                .socket(start())
                .username("postgres")
                .database("postgres"),
        });
    &SERVER
}

/// Lives as long as its standard input is open, so that the cluster ends with the tests however they end.
const CLUSTER: &str = r#"
set -e
test -d /dev/shm && export TMPDIR=/dev/shm
PATH="$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV | head -1)"
dir=$(mktemp -d -t updraft-eventlog-XXXXXX)
cd "$dir"
trap 'pg_ctl -D data -m immediate stop >/dev/null 2>&1; cd /; rm -rf "$dir"' EXIT
initdb -D data -U postgres -A trust -E UTF8 --locale C --no-sync >log
pg_ctl -D data -l log -w start >/dev/null -o \
    "-k $dir -c listen_addresses='' -c fsync=off -c max_connections=300 -c log_lock_waits=on"
echo "$dir"
cat >/dev/null
"#;

fn start() -> String {
    static CLUSTER_PROCESS: OnceLock<Child> = OnceLock::new();
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    // Postgres refuses to run as root.
    let mut command = Command::new(if root { "setpriv" } else { "sh" });
    if root {
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "sh"]);
    }
    let mut child = command
        .args(["-c", CLUSTER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell, or setpriv for root, starts the private cluster");
    let mut directory = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut directory).unwrap();
    assert!(
        !directory.is_empty(),
        "the private cluster did not start; are the binaries of Postgres installed?"
    );
    CLUSTER_PROCESS.get_or_init(|| child);
    directory.trim_end().to_owned()
}
