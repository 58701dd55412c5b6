//! The composed system for one test: a database of its own, every service, the gateway, a clock set by hand.

use std::net::SocketAddr;
use std::sync::Arc;

use boot::database::Database;
use boot::rebuild::Progress;
use boot::replay::Compared;
use boot::scratch::{self, Scratch};
use boot::{Clock, House, Ports, StartError};
use clap::Parser;
use identity::{Audience, Caller, Keys, PersonId, Role};
use jiff::Timestamp;
use tokio::sync::watch;
use updraft::run::{Args, Whole};
use vault::MasterKey;

use crate::client::Client;

/// When every test begins.
pub const BEGIN: &str = "2013-08-12T07:00:00Z";

/// A migrated database that nobody else uses.
async fn database() -> Scratch {
    let furnished = async |empty: &Database| -> Result<(), StartError> {
        let mut house = house(empty.clone(), Clock::system()).await;
        updraft::house::furnish(&mut house, args(&[]).settings).await?;
        house.close().await;
        Ok(())
    };
    scratch::database("updraft", furnished).await.expect("a migrated database")
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

/// One system, for one test.
pub struct World {
    /// The system.
    pub whole: Whole,
    /// Its database, to look into where no interface shows what a test is about.
    pub database: Arc<Scratch>,
    keys: Keys,
}

impl World {
    /// Starts a system without any data.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// Starts a system with settings of its own.
    pub async fn with(more: &[&str]) -> Self {
        Self::on(Arc::new(database().await), more).await
    }

    /// Starts another system on the same database.
    pub async fn beside(&self) -> Self {
        Self::on(Arc::clone(&self.database), &[]).await
    }

    /// Starts a system on a database that is there already.
    pub async fn on(database: Arc<Scratch>, more: &[&str]) -> Self {
        let args = args(more);
        let mut house =
            house(Database::clone(&database), Clock::manual(BEGIN.parse::<Timestamp>().expect("a time")))
                .await;
        let ports = Ports::take(&args.process).await.expect("two ports");
        let settings = args.settings.clone().with_services_at(ports.inner());
        updraft::house::furnish(&mut house, settings).await.expect("the services");
        let keys = house.keys();
        let rest = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let whole = Whole::open(house, &args, ports, rest).await.expect("a system");
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
        self.client(&Caller { person, ..Caller::system(Role::Office) })
    }

    /// A client of one person, mentor or mentee.
    pub fn person(&self, person: PersonId) -> Client {
        self.client(&Caller::of(person, [Role::Participant]))
    }

    /// A client of anybody.
    pub fn client(&self, caller: &Caller) -> Client {
        Client::new(self.rest(), Some(self.token(caller)))
    }

    /// A client who does not say who calls.
    pub fn stranger(&self) -> Client {
        Client::new(self.rest(), None)
    }

    /// A token of anybody.
    pub fn token(&self, caller: &Caller) -> String {
        self.keys.issue(caller, Audience::Updraft, 3600).expect("a token")
    }

    /// The keys that sign tokens.
    pub fn keys(&self) -> Keys {
        self.keys.clone()
    }

    /// Compares every read model with a fold of the events.
    pub async fn replay(&self) -> Vec<Compared> {
        self.settle().await;
        let mut house = house(Database::clone(&self.database), Clock::system()).await;
        updraft::house::furnish(&mut house, args(&[]).settings).await.expect("the services");
        let compared = house.replay().await.expect("a replay");
        house.close().await;
        compared
    }

    /// Makes the read models of a service anew, as the operator's command does beside the running system.
    pub async fn rebuild(&self, service: &str, progress: watch::Sender<Progress>) -> Result<i64, StartError> {
        let mut house = house(Database::clone(&self.database), Clock::system()).await;
        updraft::house::furnish(&mut house, args(&[]).settings).await?;
        let rebuilt = house.rebuild(service, progress).await;
        house.close().await;
        rebuilt
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
}
