//! The example client of deploy/hris-client, as an integrator runs it.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proto::hris::SyncMode;
use proto::hris::worker_tombstone::Kind;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::OnceCell;

use super::payroll::{Payroll, tombstone};
use crate::world::World;

/// The 290 people of the demonstration.
pub const ADVENTUREWORKS: &str =
    include_str!("../../../services/updraft/roster/adventureworks-employees.csv");
/// A third of the roster, as it goes over the wire.
const CUT_AFTER_BYTES: usize = 12_000;

/// Where the client lies.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/hris-client").canonicalize().unwrap()
}

/// The Python that has what the client needs; what is missing is installed once for all tests.
static PYTHON: OnceCell<String> = OnceCell::const_new();

/// That Python.
pub async fn python() -> String {
    PYTHON.get_or_init(install).await.clone()
}

async fn install() -> String {
    let install = Command::new(folder().join("install")).stderr(Stdio::inherit()).output();
    let installed = install.await.unwrap();
    assert!(installed.status.success(), "deploy/hris-client/install says why");
    let said = String::from_utf8(installed.stdout).unwrap();
    said.lines().last().unwrap().to_owned()
}

/// The client with its environment, and a source that is its own.
struct Example<'w> {
    python: String,
    target: String,
    token_url: String,
    secret: String,
    world: &'w World,
}

impl<'w> Example<'w> {
    async fn new(world: &'w World) -> Self {
        let python = python().await;
        let office = world.office(None);
        office.post("/api/v1/sources", json!({ "sourceId": "payroll" })).await.ok();
        let credential = json!({ "kind": "KIND_SECRET" });
        let made = office.post("/api/v1/sources/payroll/credentials", credential).await.ok();
        Self {
            python,
            target: world.grpc().to_string(),
            token_url: format!("http://{}/oauth2/token", world.rest()),
            secret: made["secret"].as_str().unwrap().to_owned(),
            world,
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command
            .arg(folder().join("updraft_hris.py"))
            .args(words)
            .args(["--source", "payroll", "--client-id", "payroll", "--target", &self.target])
            .args(["--token-url", &self.token_url])
            .env("UPDRAFT_CLIENT_SECRET", &self.secret)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .kill_on_drop(true);
        command
    }

    async fn sync(&self, export: &Path, more: &[&str]) -> (Option<i32>, String) {
        let words = [&["sync", export.to_str().unwrap()], more].concat();
        let Output { status, stdout, stderr } = self.command(&words).output().await.unwrap();
        let said = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
        (status.code(), said)
    }

    fn watch(&self, token_file: &Path) -> (Child, Lines<BufReader<ChildStdout>>) {
        let mut watch = self.command(&["watch", "--token-file", token_file.to_str().unwrap()]);
        let mut child = watch.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        (child, lines)
    }

    async fn runs(&self) -> Vec<Value> {
        self.world.office(None).list("/api/v1/sync-runs", "syncRuns").await
    }
}

/// A folder that nobody else uses, with the roster in it.
pub fn export(name: &str, content: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hris-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("export.csv");
    std::fs::write(&file, content).unwrap();
    file
}

/// Passes connections on to the service; the first one dies after some bytes from the client.
async fn unsteady(service: String) -> (String, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, cut) = (listener.local_addr().unwrap().to_string(), Arc::new(AtomicBool::new(false)));
    let is_cut = Arc::clone(&cut);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let service = TcpStream::connect(&service).await.unwrap();
            tokio::spawn(pass_on(client, service, Arc::clone(&is_cut)));
        }
    });
    (address, cut)
}

async fn pass_on(mut client: TcpStream, mut service: TcpStream, is_cut: Arc<AtomicBool>) {
    let (mut passed, mut up, mut down) = (0, vec![0; 4096], vec![0; 4096]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(read @ 1..) = read else { return };
                passed += read;
                if passed > CUT_AFTER_BYTES && !is_cut.swap(true, Ordering::Relaxed) {
                    return;
                }
                if service.write_all(&up[..read]).await.is_err() { return }
            }
            read = service.read(&mut down) => {
                let Ok(read @ 1..) = read else { return };
                if client.write_all(&down[..read]).await.is_err() { return }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_sends_the_roster_over_a_connection_that_breaks_and_the_same_export_is_the_same_run() {
    let world = World::new().await;
    let mut example = Example::new(&world).await;
    let file = export("sends", ADVENTUREWORKS);
    let (code, said) = example.sync(&file, &["--dry-run"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("290 received, 290 created") && said.contains("nothing was changed"), "{said}");

    let steady = example.target.clone();
    let (address, is_cut) = unsteady(steady.clone()).await;
    example.target = address;
    let (code, said) = example.sync(&file, &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(is_cut.load(Ordering::Relaxed), "the connection was cut");
    assert!(said.contains(": committed") && said.contains("290 workers"), "{said}");
    let people = world.office(None).list("/api/v1/people", "people").await;
    assert_eq!(people.len(), 290);

    example.target = steady;
    let before = example.runs().await.len();
    let (code, again) = example.sync(&file, &[]).await;
    assert_eq!((code, again.as_str()), (Some(0), said.as_str()));
    assert_eq!(example.runs().await.len(), before);
    let (code, said) = example.sync(&file, &["--again"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("290 received, 290 unchanged"), "{said}");
}

/// Passes connections on to a service that is away for the first two of them.
async fn away_at_first(service: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        for _ in 0..2 {
            drop(listener.accept().await);
        }
        while let Ok((client, _)) = listener.accept().await {
            let service = TcpStream::connect(&service).await.unwrap();
            tokio::spawn(pass_on(client, service, Arc::new(AtomicBool::new(true))));
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_a_token_endpoint_that_is_away_and_not_for_one_that_refuses() {
    let world = World::new().await;
    let mut example = Example::new(&world).await;
    let address = away_at_first(world.rest().to_string()).await;
    example.token_url = format!("http://{address}/oauth2/token");
    let file = export("away", ADVENTUREWORKS);
    let (code, said) = example.sync(&file, &["--dry-run"]).await;
    assert_eq!(code, Some(0), "{said}");
    example.secret = "updraft_no_secret".to_owned();
    let (code, said) = example.sync(&file, &["--dry-run"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("401"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_was_cut_off_or_is_another_companys_makes_no_leavers() {
    let world = World::new().await;
    let example = Example::new(&world).await;
    let (code, said) = example.sync(&export("whole", ADVENTUREWORKS), &[]).await;
    assert_eq!(code, Some(0), "{said}");

    // In the middle of a line, as a full disk leaves it.
    let half = ADVENTUREWORKS.split_at(ADVENTUREWORKS.len() / 2).0;
    let half = half.trim_end_matches(|c: char| c != ',').trim_end_matches(',');
    let (code, said) = example.sync(&export("half", half), &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("not as many fields as the header"), "{said}");
    assert_eq!(example.runs().await[0]["state"], "STATE_ABORTED");

    let header = ADVENTUREWORKS.lines().next().unwrap();
    let other = format!("{header}\n1,,Jo,Doe,jo@example.com,CEO,Board,2010-01-01,1980-01-01\n");
    let (code, said) = example.sync(&export("other", &other), &[]).await;
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains(": held") && said.contains("290 left"), "{said}");
    let people = world.office(None).list("/api/v1/people", "people").await;
    assert!(people.iter().all(|person| person["state"] == "STATE_ACTIVE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_follows_the_programme_and_goes_on_where_it_was() {
    let world = World::new().await;
    let example = Example::new(&world).await;
    let file = export("follows", ADVENTUREWORKS);
    example.sync(&file, &[]).await;
    let token_file = file.with_file_name("feed.token");
    let (mut child, mut lines) = example.watch(&token_file);
    let mut told = 0;
    loop {
        let line: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        if line["event"] == "snapshot_complete" {
            break;
        }
        assert_eq!((&line["event"], &line["participating"]), (&json!("changed"), &json!(false)));
        told += 1;
    }
    assert_eq!(told, 290);
    child.kill().await.unwrap();

    let payroll = Payroll::of(&world, "payroll").await;
    let run = payroll.open(SyncMode::Delta).await;
    payroll.send(&run, [tombstone("295847284", u64::MAX >> 1, Kind::Left)]).await;
    let (_child, mut lines) = example.watch(&token_file);
    loop {
        let line: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        if line["event"] == "removed" {
            assert_eq!(line["externalId"], "295847284");
            break;
        }
        assert_ne!(line["event"], "heartbeat", "{line}");
    }
}
