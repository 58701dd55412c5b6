//! What was acknowledged is there after `kill -9`, of the process or of Postgres, and every read model equals a replay.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use identity::{Audience, Caller, Keys, Role};
use serde_json::{Value, json};
use tokio::sync::mpsc::{self, UnboundedSender};

use crate::client::{Answer, Client};
use crate::company::settings;

/// In a child process, the arguments of the program to be.
const PROGRAM: &str = "UPDRAFT_IT_PROGRAM";

/// Not a behaviour: as a child process the test binary is the program itself.
#[test]
fn the_program_itself() {
    if let Ok(arguments) = std::env::var(PROGRAM) {
        let arguments = std::iter::once("updraft").chain(arguments.split(' ')).map(Into::into);
        let failed = updraft::main(arguments) != ExitCode::SUCCESS;
        std::process::exit(i32::from(failed));
    }
}

/// The program as a child process.
pub fn program(arguments: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "crash::the_program_itself", "--nocapture"]).env(PROGRAM, arguments);
    command.stdin(Stdio::null());
    command
}

/// A data directory on the disk, with fsync, as a crash test needs it.
pub struct Folder(pub PathBuf);

impl Folder {
    /// An empty folder.
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("updraft-crash-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own sweep of temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The program as a process, with ports of its own.
pub struct Running {
    child: Child,
    rest: SocketAddr,
    /// Where operators look.
    pub admin: SocketAddr,
    keys: Keys,
}

impl Running {
    async fn start(data: &Path) -> Self {
        Self::start_with(data, &[]).await
    }

    /// Starts it with variables of its own and waits until it is ready.
    pub async fn start_with(data: &Path, variables: &[(&str, &str)]) -> Self {
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (rest, grpc, admin) = (free(), free(), free());
        let arguments = format!(
            "run --data-dir={} --rest-listen={rest} --grpc-listen={grpc} --admin-listen={admin} --log=warn",
            data.display()
        );
        let child =
            program(&arguments).envs(variables.iter().copied()).stdout(Stdio::null()).spawn().unwrap();
        let ready = format!("http://{admin}/readyz");
        let deadline = std::time::Instant::now() + Duration::from_mins(1);
        while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(std::time::Instant::now() < deadline, "the program does not become ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let keys = Keys::load_or_create(data.join("identity.pem")).unwrap();
        Self { child, rest, admin, keys }
    }

    /// A client of the programme office.
    pub fn office(&self) -> Client {
        let token = self.keys.issue(&Caller::system(Role::Office), Audience::Updraft, 3600).unwrap();
        Client::new(self.rest, Some(token))
    }

    /// Asks it to end, as a service manager does, and waits until it has.
    pub async fn terminate(mut self, at_most: Duration) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        let deadline = std::time::Instant::now() + at_most;
        while self.child.try_wait().unwrap().is_none() {
            assert!(std::time::Instant::now() < deadline, "the program does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Writes until the far side goes away; answers with what was acknowledged.
async fn write_until_it_dies(office: Client, acknowledged: UnboundedSender<String>) {
    while let Some(answer) = office.try_post("/api/v1/editions", json!({ "settings": settings() })).await {
        if answer.status == 201 && acknowledged.send(answer.id()).is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_write_survives_a_kill_of_the_process() {
    let data = Folder::new("process");
    let running = Running::start(&data.0).await;
    let (acknowledge, mut written) = mpsc::unbounded_channel();
    let writers: Vec<_> =
        (0..4).map(|_| tokio::spawn(write_until_it_dies(running.office(), acknowledge.clone()))).collect();
    drop(acknowledge);
    let mut acknowledged = Vec::new();
    while acknowledged.len() < 40 {
        acknowledged.push(written.recv().await.expect("the writers go on"));
    }
    running.kill();
    while let Some(late) = written.recv().await {
        acknowledged.push(late);
    }
    for writer in writers {
        writer.await.unwrap();
    }

    let again = Running::start(&data.0).await;
    let stored: std::collections::BTreeSet<String> = again
        .office()
        .list("/api/v1/editions", "editions")
        .await
        .iter()
        .map(|edition| edition["editionId"].as_str().unwrap().to_owned())
        .collect();
    let lost: Vec<_> = acknowledged.iter().filter(|id| !stored.contains(*id)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    again.kill();

    let replay = program(&format!("replay --check --data-dir={}", data.0.display())).output().unwrap();
    let said = String::from_utf8_lossy(&replay.stdout).into_owned();
    assert!(replay.status.success(), "{said}{}", String::from_utf8_lossy(&replay.stderr));
    assert!(said.contains("every read model equals a replay"), "{said}");
}

/// Asks again, as a 503 with Retry-After tells to, until there is an answer.
async fn until_back(ask: impl AsyncFn() -> Answer) -> Value {
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        let answer = ask().await;
        if answer.status != 503 {
            return answer.ok();
        }
        assert!(answer.headers.contains_key("retry-after"));
        assert!(std::time::Instant::now() < deadline, "Postgres does not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_postgres_comes_back_and_loses_nothing() {
    let data = Folder::new("postgres");
    let running = Running::start(&data.0).await;
    let office = running.office();
    let before = office.post("/api/v1/editions", json!({ "settings": settings() })).await.id();
    let postmaster = std::fs::read_to_string(data.0.join("postgres/postmaster.pid")).unwrap();
    let killed = Command::new("kill").args(["-9", postmaster.lines().next().unwrap()]).status().unwrap();
    assert!(killed.success());

    let path = format!("/api/v1/editions/{before}");
    let read = until_back(async || office.get(&path).await).await;
    assert_eq!(read["editionId"], before.as_str());
    until_back(async || office.post("/api/v1/editions", json!({ "settings": settings() })).await).await;
    running.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_one_clear_sentence() {
    let data = Folder::new("port");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let refused =
        program(&format!("run --data-dir={} --rest-listen={address}", data.0.display())).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    let sentence =
        format!("updraft: {address} is taken by another process: end that one, or set UPDRAFT_REST_LISTEN");
    assert!(said.contains(&sentence), "{said}");
}
