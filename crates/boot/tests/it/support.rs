//! Folders that go away, and a launcher in a process of its own that can be killed.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use boot::postgres::{Cluster, ClusterConfig};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Row};

/// The variable that turns this test binary into a launcher.
const LAUNCH: &str = "UPDRAFT_TEST_LAUNCH";

/// A data directory of its own, removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// On a disk, where it matters what a crash leaves behind.
    pub(crate) fn on_disk(name: &str) -> Self {
        Self::fresh(std::env::temp_dir().join(format!("updraft-boot-{}-{name}", std::process::id())))
    }

    pub(crate) fn named(name: &str) -> Self {
        let memory = Path::new("/dev/shm");
        if !memory.is_dir() {
            return Self::on_disk(name);
        }
        Self::fresh(memory.join(format!("updraft-boot-{}-{name}", std::process::id())))
    }

    fn fresh(path: PathBuf) -> Self {
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn quick(&self) -> ClusterConfig {
        ClusterConfig { durable: false, ..self.durable() }
    }

    pub(crate) fn durable(&self) -> ClusterConfig {
        ClusterConfig::in_dir(&self.0)
    }

    /// Whether no process of the server is left.
    pub(crate) fn is_quiet_within(&self, seconds: u64) -> bool {
        let lock = File::open(self.0.join("cluster.lock")).unwrap();
        within(seconds, || lock.try_lock().is_ok())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process that started a cluster and now only waits.
pub(crate) struct Launcher {
    child: Child,
    pub(crate) sockets: PathBuf,
    pub(crate) postmaster: u32,
}

impl Launcher {
    /// Starts a durable cluster in another process, with `path` before the PATH.
    pub(crate) fn start(folder: &Folder, path: Option<&Path>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "support::launcher", "--ignored", "--nocapture"]);
        if let Some(path) = path {
            command.env("PATH", format!("{}:{}", path.display(), std::env::var("PATH").unwrap()));
        }
        let mut child = command.env(LAUNCH, folder.path()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line =
            lines.map(Result::unwrap).find_map(|line| Some(line.split_once("launched ")?.1.to_owned()));
        let line = line.expect("the launcher says where its cluster is");
        let (postmaster, sockets) = line.split_once(' ').unwrap();
        Self { child, sockets: sockets.into(), postmaster: postmaster.parse().unwrap() }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(&self.sockets).username("postgres").database("postgres")
    }

    /// Ends the launcher as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
#[ignore = "is the process that other tests start and kill"]
async fn launcher() {
    let Some(folder) = std::env::var_os(LAUNCH) else { return };
    let cluster = Cluster::start(ClusterConfig::in_dir(folder)).await.unwrap();
    println!("launched {} {}", cluster.postmaster().unwrap(), cluster.socket_dir().display());
    std::future::pending::<()>().await;
}

pub(crate) async fn connect(options: &PgConnectOptions) -> PgConnection {
    options.connect().await.unwrap()
}

pub(crate) async fn text(connection: &mut PgConnection, query: &'static str) -> String {
    sqlx::query(query).fetch_one(connection).await.unwrap().get(0)
}

pub(crate) fn within(seconds: u64, holds: impl Fn() -> bool) -> bool {
    let begin = Instant::now();
    while !holds() {
        if begin.elapsed().as_secs() >= seconds {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Ends a process as `kill -9` does, unless it has ended meanwhile.
pub(crate) fn kill(pid: u32) {
    let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL);
}
