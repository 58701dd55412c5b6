//! The peers: each a program of its own, installed by `tests/bench/eventlog/peers/install`, that does the works asked of it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;
use tokio::process::Command;

use crate::pgbench::Pgbench;
use crate::scale::Scale;
use crate::stage::Stage;

/// The folder they are installed in; without it there are none.
const INSTALLED: &str = "UPDRAFT_PEERS";
/// Events that a peer which catches up slowly is given.
const SLOW_HISTORY: u64 = 4_000;

/// A store to compare with.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Its name.
    pub(crate) name: &'static str,
    /// How it is used, where there is a choice.
    pub(crate) manner: &'static str,
    database: String,
    program: PathBuf,
    words: Vec<OsString>,
    /// How many events it catches up on.
    history: u64,
}

/// A number of events, and how long they took.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Took {
    events: f64,
    seconds: f64,
}

/// What a reader missed that read while others wrote.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Race {
    /// Events that are stored in the end.
    pub(crate) written: u64,
    /// Of these, never read.
    pub(crate) lost: u64,
    /// Read twice.
    pub(crate) duplicated: u64,
    /// Read after a later one of their stream.
    pub(crate) disordered: u64,
}

impl Race {
    /// Both races together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            written: self.written + other.written,
            lost: self.lost + other.lost,
            duplicated: self.duplicated + other.duplicated,
            disordered: self.disordered + other.disordered,
        }
    }

    /// What a rate has to be read with; nothing if nothing was lost.
    fn loss(&self) -> String {
        let Self { written, lost, .. } = self;
        if *lost == 0 { String::new() } else { format!(", LOSES {lost} of {written}") }
    }
}

impl std::fmt::Display for Race {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { written, lost, duplicated, disordered } = self;
        if lost + duplicated + disordered == 0 {
            return write!(formatter, "0 of {written}");
        }
        write!(formatter, "LOSES {lost} of {written}, {duplicated} twice, {disordered} out of order")
    }
}

/// The peers that are installed.
pub(crate) fn installed(scale: &Scale) -> Vec<Peer> {
    let Some(folder) = env::var_os(INSTALLED).map(PathBuf::from) else {
        println!("{INSTALLED} names no folder: no peers are measured. `make bench-eventlog` installs them.");
        return Vec::new();
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("eventlog/peers");
    let rust = |name, manner| {
        let program = folder.join("target/release/peers");
        Peer {
            name,
            manner,
            database: name.replace('-', "_"),
            program,
            words: vec![name.into()],
            history: scale.peer_history,
        }
    };
    let python = |manner, database: &str, words: &[&str]| Peer {
        name: "eventsourcing",
        manner,
        database: database.to_owned(),
        program: folder.join("python/bin/python"),
        words: [here.join("python_eventsourcing.py").into_os_string()]
            .into_iter()
            .chain(words.iter().map(OsString::from))
            .collect(),
        history: scale.peer_history,
    };
    let emmett = Peer {
        name: "emmett",
        manner: "its consumer, 1000 a page",
        database: "emmett".to_owned(),
        program: "node".into(),
        words: vec![here.join("emmett.mjs").into()],
        history: SLOW_HISTORY.min(scale.peer_history),
    };
    vec![
        rust("postgres-es", "told in the process"),
        rust("mire", "its subscription"),
        rust("message-db", "64 categories"),
        emmett,
        python("table lock, its default", "eventsourcing", &[]),
        python("with its functions", "eventsourcing_functions", &["--functions"]),
    ]
}

impl Peer {
    /// The label of a row: how it is used, and what that costs.
    pub(crate) fn row(&self, work: &str, race: Race) -> String {
        format!("{} ({}){work}{}", self.name, self.manner, race.loss())
    }

    /// Lays its tables out and fills them.
    pub(crate) async fn prepare(&self, stage: &Stage) -> anyhow::Result<()> {
        stage.create(&self.database).await?;
        self.run(stage, &self.database, &["prepare", &self.history.to_string()]).await?;
        Ok(())
    }

    /// Single events per second.
    pub(crate) async fn append(&self, stage: &Stage, clients: u32, time: Duration) -> anyhow::Result<f64> {
        if self.name == "message-db" {
            return Ok(stage.pgbench().write_message(&self.database, clients, time).await?.rate);
        }
        let words = ["append", &clients.to_string(), &time.as_secs().to_string()];
        self.rate(stage, &words).await
    }

    /// Events per second that are read and decoded from the beginning.
    pub(crate) async fn catch_up(&self, stage: &Stage) -> anyhow::Result<f64> {
        self.rate(stage, &["catch-up", &self.history.to_string()]).await
    }

    /// Reads while others write, in a database of its own.
    pub(crate) async fn race(&self, stage: &Stage, writers: u32, time: Duration) -> anyhow::Result<Race> {
        let database = format!("{}_race", self.database);
        stage.create(&database).await?;
        self.run(stage, &database, &["prepare", "0"]).await?;
        let words = ["race", &writers.to_string(), &time.as_secs().to_string()];
        let said = self.run(stage, &database, &words).await?;
        stage.drop(&database).await?;
        Ok(serde_json::from_slice(&said)?)
    }

    async fn rate(&self, stage: &Stage, words: &[&str]) -> anyhow::Result<f64> {
        let took: Took = serde_json::from_slice(&self.run(stage, &self.database, words).await?)?;
        Ok(took.events / took.seconds)
    }

    async fn run(&self, stage: &Stage, database: &str, words: &[&str]) -> anyhow::Result<Vec<u8>> {
        let mut command = Command::new(&self.program);
        command.args(&self.words).args(words).kill_on_drop(true);
        command.env("PGHOST", stage.sockets()).env("PGUSER", "postgres").env("PGDATABASE", database);
        command.env("PATH", path(stage.pgbench())?);
        let output =
            command.output().await.with_context(|| format!("{} cannot be run", self.program.display()))?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} {}: {complaint}", self.name, words.join(" "));
        Ok(output.stdout)
    }
}

/// message-db is laid out by psql.
fn path(pgbench: &Pgbench) -> anyhow::Result<OsString> {
    let usual = env::var_os("PATH").unwrap_or_default();
    let folders = [pgbench.programs().to_owned()].into_iter().chain(env::split_paths(&usual));
    Ok(env::join_paths(folders)?)
}
