//! A Postgres of the tests' own: a server that goes away with the last test, a database per test.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::{env, fs};

use identity::Id;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// A fresh, migrated database, and the server that holds it.
pub(crate) struct Database {
    /// Connected as a member of the services' group role.
    pub(crate) service: PgPool,
    /// Connected as the administrator.
    pub(crate) admin: PgPool,
    _server: Arc<Server>,
}

impl Database {
    pub(crate) async fn fresh() -> Self {
        let server = Server::shared();
        let name = format!("vault_{}", Id::<()>::mint().uuid().simple());
        let mut conn = PgConnection::connect_with(&server.options).await.unwrap();
        // Roles belong to the server: of several tests at once one makes them, the others find them.
        for role in ["updraft_service nologin", "updraft_test login in role updraft_service"] {
            let _ = sqlx::query(AssertSqlSafe(format!("create role {role}"))).execute(&mut conn).await;
        }
        sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&mut conn).await.unwrap();
        let options = server.options.clone().database(&name);
        let admin = PgPool::connect_with(options.clone()).await.unwrap();
        vault::migrate(&admin).await.unwrap();
        let service = PgPool::connect_with(options.username("updraft_test")).await.unwrap();
        Self { service, admin, _server: server }
    }
}

struct Server {
    options: PgConnectOptions,
    /// Stops and clears away the cluster when the server is dropped.
    _private: Option<Private>,
}

/// Where a private cluster lies, and the programs that run it.
struct Private {
    programs: PathBuf,
    folder: PathBuf,
}

impl Server {
    fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// The server of `UPDRAFT_TEST_POSTGRES`, else a private one with speed instead of durability.
    fn start() -> Self {
        if let Ok(url) = env::var("UPDRAFT_TEST_POSTGRES") {
            return Self { options: url.parse().unwrap(), _private: None };
        }
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { env::temp_dir() };
        let folder = base.join(format!("updraft-vault-{}", Id::<()>::mint()));
        let private = Private { programs: programs(), folder };
        let folder = private.folder.to_str().unwrap();
        private.run("initdb", &["-D", folder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]);
        let log = format!("{folder}/log");
        let settings = format!("-c listen_addresses= -c fsync=off -k {folder}");
        private.run("pg_ctl", &["-D", folder, "-w", "-l", &log, "-o", &settings, "start"]);
        let options = PgConnectOptions::new_without_pgpass().socket(folder).username("postgres");
        Self { options: options.database("postgres"), _private: Some(private) }
    }
}

impl Private {
    /// Postgres refuses to run as root, hence it is nobody's then.
    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        let mut command = if root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        // The server inherits the output of pg_ctl: captured, it would keep this call waiting.
        let log = fs::File::create(self.folder.with_extension("log")).unwrap();
        command.current_dir("/").args(arguments).stdout(log.try_clone().unwrap()).stderr(log);
        let status = command.status().unwrap();
        let log = self.folder.with_extension("log");
        assert!(status.success(), "{command:?}: {}", fs::read_to_string(log).unwrap_or_default());
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let folder = self.folder.to_string_lossy();
        self.run("pg_ctl", &["-D", &folder, "-m", "fast", "-w", "stop"]);
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::remove_file(self.folder.with_extension("log"));
    }
}

/// The folder of the newest Postgres on this machine.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
        })
        .max();
    newest.expect("Postgres is installed, or UPDRAFT_TEST_POSTGRES names a server").1
}
