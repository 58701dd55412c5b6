//! The operator's view of the event log, beside the running system.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use eventlog::{Aggregate, Journal, Wake};
use serde_json::{Value, json};
use updraft::demo;

use crate::company::{Company, settings};
use crate::crash::{Folder, Running, program};
use crate::world::World;

/// A command on the database of a test.
fn on(world: &World, arguments: &str) -> Command {
    let options = world.database.admin_options();
    let socket = options.get_socket().expect("a private cluster").display().to_string();
    let (user, name) = (options.get_username(), world.database.name());
    let mut command = program(arguments);
    command.env("UPDRAFT_DATABASE_URL", format!("postgres://{user}@localhost/{name}?host={socket}"));
    command
}

/// What a command says when it succeeds.
async fn said(mut command: Command) -> String {
    let output = output(&mut command).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// Why a command fails.
async fn refused(mut command: Command) -> String {
    let output = output(&mut command).await;
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

async fn output(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap()
}

/// The events among the lines of a test binary.
fn events(text: &str) -> Vec<Value> {
    text.lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn positions(events: &[Value]) -> Vec<i64> {
    events.iter().map(|event| event["position"].as_i64().unwrap()).collect()
}

async fn recorded(world: &World) -> Vec<i64> {
    let pool = world.database.pool("reader");
    sqlx::query_scalar("select position from eventlog.events order by position")
        .fetch_all(&pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_exported_readable_but_what_is_sealed_and_goes_on_where_a_file_ends() {
    let company = Company::running().await;
    let folder = Folder::new("export");
    let file = folder.0.join("events.jsonl");
    let export = format!("events export --output {}", file.display());
    said(on(&company.world, &export)).await;
    let text = std::fs::read_to_string(&file).unwrap();
    let first = events(&text);
    assert_eq!(positions(&first), recorded(&company.world).await);
    assert!(
        first.iter().all(|event| event["data"].is_object() && event.get("unreadable").is_none()),
        "{text}"
    );
    assert!(!text.contains("Secret"));
    let submitted = first.iter().find(|event| event["name"] == "updraft.enrollment.v1.ApplicationSubmitted");
    let submitted = submitted.unwrap();
    assert_eq!(submitted["data"]["editionId"], company.edition.as_str());
    assert_eq!(submitted["data"]["availability"]["windows"][0]["weekday"], "WEEKDAY_MONDAY");
    assert!(submitted["data"]["sealedMotivation"]["sealed"].is_string(), "{submitted}");

    company.office().post("/api/v1/editions", json!({ "settings": settings() })).await.ok();
    said(on(&company.world, &export)).await;
    let whole = events(&std::fs::read_to_string(&file).unwrap());
    assert_eq!(positions(&whole), recorded(&company.world).await);
    assert_eq!(whole.len(), first.len() + 1);

    let after = first.last().unwrap()["position"].as_i64().unwrap();
    let later = said(on(&company.world, &format!("events export --after {after}"))).await;
    assert_eq!(events(&later), whole[first.len()..]);
    let accepted = "events export --kind tandem --name TandemAccepted --name TandemActivated";
    let accepted = events(&said(on(&company.world, accepted)).await);
    let names: BTreeSet<_> = accepted.iter().map(|event| event["name"].as_str().unwrap()).collect();
    let expected = ["updraft.matching.v1.TandemAccepted", "updraft.matching.v1.TandemActivated"];
    assert_eq!(names, BTreeSet::from(expected));
}

/// A tail, and the events it prints.
struct Tail {
    child: Child,
    lines: tokio::sync::mpsc::UnboundedReceiver<String>,
}

impl Tail {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (tell, lines) = tokio::sync::mpsc::unbounded_channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok).filter(|line| line.starts_with('{')) {
                let _ = tell.send(line);
            }
        });
        Self { child, lines }
    }

    async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(30), self.lines.recv()).await;
        serde_json::from_str(&line.expect("an event in time").expect("the tail goes on")).unwrap()
    }

    /// Asks it to end, and answers whether it did so in peace.
    fn end(mut self) -> bool {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        asked.success() && self.child.wait().unwrap().success()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_shows_what_is_recorded_while_it_runs() {
    let world = World::new().await;
    let office = world.office(None);
    let first = office.post("/api/v1/editions", json!({ "settings": settings() })).await.id();
    let mut tail = Tail::start(on(&world, "events tail --after 0 --name EditionCreated"));
    assert_eq!(tail.next().await["stream"]["id"], first.as_str());
    for _ in 0..3 {
        let id = office.post("/api/v1/editions", json!({ "settings": settings() })).await.id();
        let event = tail.next().await;
        assert_eq!((&event["stream"]["id"], &event["stream"]["kind"]), (&json!(id), &json!("edition")));
    }
    assert!(tail.end());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_work_beside_a_private_postgres_and_without_one_that_runs() {
    let data = Folder::new("beside");
    let empty = refused(program(&format!("events stats --data-dir={}", data.0.display()))).await;
    assert!(empty.contains("holds no data: set UPDRAFT_DATA_DIR or UPDRAFT_DATABASE_URL"), "{empty}");

    let running = Running::start_with(&data.0, &[]).await;
    running.office().post("/api/v1/editions", json!({ "settings": settings() })).await.id();
    let stats = format!("events stats --data-dir={}", data.0.display());
    let beside = said(program(&stats)).await;
    let check = format!("replay --check --data-dir={}", data.0.display());
    assert!(said(program(&check)).await.contains("every read model equals a replay"));
    running.terminate(Duration::from_secs(30)).await;
    for text in [beside, said(program(&stats)).await] {
        let counted = text.lines().find(|line| line.contains("updraft.enrollment.v1.EditionCreated"));
        let words: Vec<_> = counted.unwrap_or_else(|| panic!("{text}")).split_whitespace().collect();
        assert_eq!((words[0], words[2]), ("edition", "1"));
        assert!(text.contains("head 1, settled up to 1, 0 positions in flight"), "{text}");
        let analytics = text.lines().find(|line| line.starts_with("analytics ")).expect("a consumer");
        assert_eq!(analytics.split_whitespace().collect::<Vec<_>>()[1..3], ["1", "0"]);
        assert!(text.lines().any(|line| line.starts_with("checkpoints ")), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_edition_leaves_the_database_and_everybody_still_reads_it() {
    let world = World::new().await;
    demo::play(&world.whole.stage()).await.unwrap();
    // Whatever will ever be due is done, and the clock stands: nothing happens from here on but what is asked for.
    world.set_clock("2100-01-01T00:00:00Z").await;
    let office = world.office(None);
    let edition =
        office.list("/api/v1/editions", "editions").await[0]["editionId"].as_str().unwrap().to_owned();
    let folder = Folder::new("archive");
    let archive = format!("events archive {edition} --archive-dir {}", folder.0.join("first").display());
    let early = refused(on(&world, &archive)).await;
    assert!(early.contains("is not archived: its events may still be needed"), "{early}");

    office.post(&format!("/api/v1/editions/{edition}/archive"), json!({})).await.ok();
    world.settle().await;
    let before = events(&said(on(&world, "events export")).await);
    let report = format!("/api/v1/editions/{edition}/report");
    let reported = office.get(&report).await.ok();
    let moved = said(on(&world, &archive)).await;
    let left = recorded(&world).await.len();
    let told = format!("{} events of ", before.len() - left);
    assert!(left < before.len() / 2 && moved.contains(&told), "{left} of {} are left: {moved}", before.len());

    assert!(events(&said(on(&world, "events export")).await) == before, "the export has changed");
    let compared = world.replay().await;
    assert!(compared.iter().all(boot::replay::Compared::agrees), "{compared:#?}");
    assert_eq!(office.get(&report).await.ok()["consistency"], reported["consistency"]);
    loads_whole::<matching::codec::Tandem>(&world, "matching", &before).await;
    loads_whole::<sessions::codec::Series>(&world, "sessions", &before).await;

    moves_elsewhere(&world, &folder.0).await;
    assert!(events(&said(on(&world, "events export")).await) == before, "the export has changed");
}

/// Every stream of a kind is loaded up to its last version.
async fn loads_whole<A: Aggregate>(world: &World, service: &str, events: &[Value]) {
    let journal = Journal::new(world.database.pool(service), Wake::default(), ());
    let last = events.iter().rev().find(|event| event["stream"]["kind"] == A::KIND && event["version"] != 1);
    let last = last.expect("a stream of several events");
    let id = last["stream"]["id"].as_str().unwrap().parse().unwrap();
    let (_, version) = journal.load::<A>(id).await.unwrap();
    assert_eq!(last["version"], version);
}

/// A missing file is named; once the archive is where the log is told, everything is well.
async fn moves_elsewhere(world: &World, folder: &Path) {
    let (first, second) = (folder.join("first"), folder.join("second"));
    std::fs::rename(&first, &second).unwrap();
    let missing = refused(on(world, "events export")).await;
    assert!(missing.contains("the archived segment") && missing.contains("is missing"), "{missing}");
    let told = said(on(world, &format!("events relocate {}", second.display()))).await;
    assert!(told.contains("1 files are unharmed"), "{told}");
}
