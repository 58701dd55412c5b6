//! The composed system for one test: a database of its own, every service, the gateway, a clock set by hand.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use boot::database::Database;
use boot::postgres::{Cluster, ClusterConfig};
use boot::{Clock, House};
use clap::Parser;
use identity::{Audience, Caller, Keys, PersonId, Role};
use jiff::Timestamp;
use tokio::sync::OnceCell;
use updraft::run::{Args, Whole};
use vault::MasterKey;

use crate::client::Client;

/// When every test begins.
pub const BEGIN: &str = "2013-08-12T07:00:00Z";

static GROUND: OnceCell<Ground> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// What all tests of a run share: one Postgres in memory, and a migrated database to copy.
struct Ground {
    _cluster: Cluster,
    template: Database,
}

impl Ground {
    async fn get() -> &'static Self {
        GROUND.get_or_init(Self::lay).await
    }

    async fn lay() -> Self {
        let folder = memory_folder();
        sweep(&folder);
        let data_dir = folder.join(format!("updraft-it-{}", std::process::id()));
        let config = ClusterConfig { durable: false, ..ClusterConfig::in_dir(data_dir) };
        let cluster = Cluster::start(config).await.expect("a private Postgres");
        let template = Database::named(&cluster, "template_updraft").await.expect("the template's roles and schemas");
        let mut house = house(template.clone(), Clock::system()).await;
        updraft::house::furnish(&mut house, settings()).await.expect("migrations");
        house.close().await;
        Self { _cluster: cluster, template }
    }
}

/// Memory where there is some, as the tests' database need not survive.
fn memory_folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

/// Removes what killed runs left: their process is gone.
fn sweep(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(process) = name.strip_prefix("updraft-it-") else { continue };
        if !PathBuf::from("/proc").join(process).exists() {
            // A leftover that cannot be removed costs memory and no test.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

async fn house(database: Database, clock: Clock) -> House {
    let keys = Keys::generate().expect("randomness");
    let master = MasterKey::from_bytes(&[7; 32]).expect("32 bytes");
    House::on(database, None, clock, keys, master).await.expect("a prepared database")
}

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

/// The settings of a test: every port is the system's choice.
pub fn args(more: &[&str]) -> Args {
    let ports = [
        "updraft",
        "--grpc-listen=127.0.0.1:0",
        "--admin-listen=127.0.0.1:0",
        "--rest-listen=127.0.0.1:0",
        "--identity-page",
    ];
    Cli::parse_from(ports.iter().chain(more)).args
}

fn settings() -> updraft::house::Settings {
    args(&[]).settings
}

/// One system, for one test.
pub struct World {
    /// The system.
    pub whole: Whole,
    /// Its database, to look into where no interface shows what a test is about.
    pub database: Database,
    keys: Keys,
}

impl World {
    /// Starts a system without any data.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// Starts a system with settings of its own.
    pub async fn with(more: &[&str]) -> Self {
        let ground = Ground::get().await;
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let database = ground.template.copy(&name).await.expect("a database for the test");
        Self::on(database, more).await
    }

    /// Starts a system on a database that is there already.
    pub async fn on(database: Database, more: &[&str]) -> Self {
        let args = args(more);
        let mut house = house(database.clone(), Clock::manual(BEGIN.parse::<Timestamp>().expect("a time"))).await;
        updraft::house::furnish(&mut house, args.settings.clone()).await.expect("the services");
        let keys = house.keys();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let whole = Whole::open(house, &args, listener).await.expect("a system");
        Self { whole, database, keys }
    }

    /// Where REST listens.
    pub fn rest(&self) -> SocketAddr {
        self.whole.rest
    }

    /// Where gRPC listens.
    pub fn grpc(&self) -> SocketAddr {
        self.whole.serving.grpc
    }

    /// A client of the programme office; a person where one is given.
    pub fn office(&self, person: Option<PersonId>) -> Client {
        self.client(Caller { person, ..Caller::system(Role::Office) })
    }

    /// A client of one person, mentor or mentee.
    pub fn person(&self, person: PersonId) -> Client {
        self.client(Caller::of(person, [Role::Participant]))
    }

    /// A client of anybody.
    pub fn client(&self, caller: Caller) -> Client {
        Client::new(self.rest(), Some(self.token(&caller)))
    }

    /// A client who does not say who calls.
    pub fn stranger(&self) -> Client {
        Client::new(self.rest(), None)
    }

    /// A token of anybody.
    pub fn token(&self, caller: &Caller) -> String {
        self.keys.issue(caller, Audience::Updraft, 3600).expect("a token")
    }

    /// Sets the clock, does what is due by then, and waits for every consequence.
    pub async fn set_clock(&self, now: &str) {
        let url = format!("http://{}/clock", self.whole.serving.admin);
        let answer = reqwest::Client::new().put(url).json(&serde_json::json!({ "now": now })).send().await;
        let answer = answer.expect("the admin port");
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
    }

    /// Waits until every service knows everything.
    pub async fn settle(&self) {
        let url = format!("http://{}/settle", self.whole.serving.admin);
        let answer = reqwest::Client::new().post(url).send().await.expect("the admin port");
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
    }

    /// Ends the system and keeps its database.
    pub async fn end(self) -> Database {
        self.whole.drain().await;
        self.database
    }
}
