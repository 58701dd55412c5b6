use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::account::Account;
use super::directory::Directory;
use super::keeper::Handle;
use super::programs::Programs;
use super::{ClusterConfig, PostgresError, SUPERUSER, ready};

/// Recovery after a crash may take long; a server that is not ready by then hangs.
const READY_SECONDS_MAX: u64 = 300;

/// A cluster that can be started: its directory, programs and account.
#[derive(Debug)]
pub(super) struct Site {
    account: Account,
    programs: Programs,
    directory: Directory,
    durable: bool,
}

/// One run of the server.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pid: Pid,
}

impl Site {
    /// Finds all that is needed and takes the directory; nothing runs yet.
    pub(super) fn claim(config: &ClusterConfig) -> Result<Self, PostgresError> {
        let account = Account::choose()?;
        let directory = Directory::claim(&config.data_dir, &account)?;
        let programs = Programs::find(config.postgres_bin.as_deref(), &directory.data(), &account)?;
        Ok(Self { account, programs, directory, durable: config.durable })
    }

    /// Where the server listens.
    pub(super) fn sockets(&self) -> &Path {
        self.directory.sockets()
    }

    /// Where the server writes its messages.
    pub(super) fn log_file(&self) -> PathBuf {
        self.directory.log_file()
    }

    /// Starts the server, with a new cluster if there is none, and waits until it accepts connections.
    pub(super) fn start(&self, handle: &Handle) -> Result<Server, PostgresError> {
        let lock = self.directory.lock_cluster()?;
        self.directory.clear_leftovers()?;
        if !self.directory.data().exists() {
            self.initialize(&lock)?;
        }
        let server = self.spawn(lock)?;
        handle.started(server.pid);
        match self.wait_until_ready(&server) {
            Ok(()) => Ok(server),
            Err(error) => {
                handle.signal(rustix::process::Signal::QUIT);
                server.wait(handle);
                Err(error)
            }
        }
    }

    /// Makes a cluster beside its place and moves it there, so that a killed attempt leaves none behind.
    fn initialize(&self, lock: &File) -> Result<(), PostgresError> {
        self.directory.clear_draft()?;
        let draft = self.directory.draft();
        let initdb = self.programs.path("initdb");
        let mut command = self.account.command(&initdb);
        command.arg("-D").arg(&draft).args(["--username", SUPERUSER, "--auth=trust", "--data-checksums"]);
        command.args(["--encoding=UTF8", "--locale=C", "--lc-ctype", character_type(), "--no-sync"]);
        command.stdin(lock.try_clone().map_err(PostgresError::io("share the lock with", &initdb))?);
        let output = command.output().map_err(PostgresError::io("run", &initdb))?;
        if !output.status.success() {
            let reason = last_words(&String::from_utf8_lossy(&output.stderr));
            return Err(PostgresError::Failed { program: "initdb", reason, log: draft });
        }
        if self.durable {
            write_through(&draft).map_err(PostgresError::io("write", &draft))?;
        }
        let data = self.directory.data();
        fs::rename(&draft, &data).map_err(PostgresError::io("rename", draft))?;
        self.directory.sync().map_err(PostgresError::io("write", data))
    }

    fn spawn(&self, lock: File) -> Result<Server, PostgresError> {
        let log = self.directory.open_log()?;
        let postgres = self.programs.path("postgres");
        let mut command = self.account.command(&postgres);
        command.arg("-D").arg(self.directory.data());
        self.configure(&mut command);
        let stdout = log.try_clone().map_err(PostgresError::io("share", self.log_file()))?;
        command.stdin(Stdio::from(lock)).stdout(stdout).stderr(log);
        let child = command.spawn().map_err(PostgresError::io("run", &postgres))?;
        let pid = Pid::from_child(&child);
        Ok(Server { child, pid })
    }

    /// The settings are ours on every start, whatever the cluster's own files say.
    fn configure(&self, command: &mut Command) {
        let sockets = self.sockets().display().to_string().replace('"', "\"\"");
        let mut set = |name: &str, value: &str| {
            command.arg("-c").arg(format!("{name}={value}"));
        };
        set("listen_addresses", "");
        set("unix_socket_directories", &format!("\"{sockets}\""));
        set("unix_socket_permissions", "0700");
        set("timezone", "UTC");
        set("log_timezone", "UTC");
        // Statements and key values may hold personal data, which have no place in a log.
        set("log_min_error_statement", "panic");
        set("log_error_verbosity", "terse");
        // Our queries are short: compiling them takes longer than running them.
        set("jit", "off");
        if self.durable {
            set("fsync", "on");
            set("max_connections", "200");
            // A first import takes one advisory lock for each person, in one transaction.
            set("max_locks_per_transaction", "512");
        } else {
            set("fsync", "off");
            set("synchronous_commit", "off");
            set("full_page_writes", "off");
            // Shared memory lies with the data, so that a killed test leaves none elsewhere.
            set("dynamic_shared_memory_type", "mmap");
            set("max_connections", "1000");
        }
    }

    fn wait_until_ready(&self, server: &Server) -> Result<(), PostgresError> {
        let data = self.directory.data();
        let begin = Instant::now();
        while !ready::is_ready(&data, server.pid) {
            if server.has_ended() || begin.elapsed().as_secs() >= READY_SECONDS_MAX {
                let log = self.log_file();
                let reason = last_words(&fs::read_to_string(&log).unwrap_or_default());
                return Err(PostgresError::Failed { program: "postgres", reason, log });
            }
            sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

impl Server {
    /// Blocks until the server has ended.
    ///
    /// Its process id is withdrawn from the handle before the kernel may give it to somebody else.
    pub(super) fn wait(mut self, handle: &Handle) {
        let ended = waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        if let Err(error) = ended {
            tracing::warn!(%error, "cannot wait for Postgres");
        }
        handle.ended();
        if let Err(error) = self.child.wait() {
            tracing::warn!(%error, "cannot wait for Postgres");
        }
    }

    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        !matches!(waitid(WaitId::Pid(self.pid), options), Ok(None))
    }
}

/// Writes a new cluster to the disk at once, where initdb would wait for each of its thousand files.
#[cfg(target_os = "linux")]
fn write_through(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(path)?)?)
}

/// Writes everything to the disk.
#[cfg(not(target_os = "linux"))]
fn write_through(_: &Path) -> io::Result<()> {
    rustix::fs::sync();
    Ok(())
}

/// Letters beyond ASCII have upper and lower case; order stays that of the code points.
fn character_type() -> &'static str {
    if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" }
}

/// The last fatal line a program wrote, or else its last line.
fn last_words(output: &str) -> String {
    let lines = || output.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let fatal = lines().find_map(|line| {
        let (_, words) = line.split_once("FATAL:").or_else(|| line.split_once("error:"))?;
        Some(words.trim().to_owned())
    });
    fatal.or_else(|| lines().next().map(str::to_owned)).unwrap_or_else(|| "it said nothing".to_owned())
}
