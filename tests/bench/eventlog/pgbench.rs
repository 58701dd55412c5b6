//! The limit: what the leanest client there is gets out of the same server with a bare insert.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use boot::postgres::Cluster;
use tokio::process::Command;

use crate::event;

/// Events of one batch.
pub(crate) const BATCH: u32 = 100;

/// One row, into a table like the log's own, each client at an end of its own of the index on streams.
const INSERT: &str = r"\set version :version + 1
insert into bare (stream_kind, stream_id, version, event_id, name, schema_version, payload, recorded_at)
values (:kind, :stream::uuid, :client_id * 1000000000::bigint + :version, :stream::uuid, :name, 1, :payload::bytea, now());
";

/// As many rows as a batch has.
const INSERT_BATCH: &str = r"\set version :version + 100
insert into bare (stream_kind, stream_id, version, event_id, name, schema_version, payload, recorded_at)
select :kind, :stream::uuid, :client_id * 1000000000::bigint + :version + ordinal, draft.event_id, draft.name,
       draft.schema_version, draft.payload, now()
from unnest(:ids::uuid[], :names::text[], :schema_versions::smallint[], :payloads::bytea[]) with ordinality
    as draft (event_id, name, schema_version, payload, ordinal);
";

/// A message of message-db: the same function and arguments that its clients use, spread over 64 categories.
const WRITE_MESSAGE: &str = r"\set nr :nr + 1
\set stream_nr :nr / 10
\set category (:stream_nr + 2 * :client_id) % 64
\set expected :nr % 10 - 1
select write_message(gen_random_uuid()::varchar, format('tandem%s-%s-%s-%s', :category::int, :run::text, :client_id::int,
                     :stream_nr::int)::varchar, 'Happened', :data::jsonb, null, :expected::bigint);
";

/// pgbench beside the server that runs.
#[derive(Debug)]
pub(crate) struct Pgbench {
    programs: PathBuf,
    sockets: PathBuf,
    folder: PathBuf,
}

/// What one run has reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Transactions per second, without the time to connect.
    pub(crate) rate: f64,
    /// Of a transaction.
    pub(crate) median: Duration,
}

impl Pgbench {
    /// Finds the program; scripts and logs go into the folder.
    pub(crate) fn beside(cluster: &Cluster, folder: &Path) -> anyhow::Result<Self> {
        let server = cluster.postmaster().context("the server does not run")?;
        let server =
            fs::read_link(format!("/proc/{server}/exe")).context("the server's program is not known")?;
        let usual = (15..30).rev().map(|major| PathBuf::from(format!("/usr/lib/postgresql/{major}/bin")));
        let programs = server.parent().map(Path::to_owned).into_iter().chain(usual);
        let programs = programs.into_iter().find(|folder| folder.join("pgbench").is_file());
        Ok(Self {
            programs: programs
                .context("there is no pgbench: install Postgres with its contributed programs")?,
            sockets: cluster.socket_dir().to_owned(),
            folder: folder.to_owned(),
        })
    }

    /// The folder of the programs.
    pub(crate) fn programs(&self) -> &Path {
        &self.programs
    }

    /// Single rows.
    pub(crate) async fn insert(&self, database: &str, clients: u32, time: Duration) -> anyhow::Result<Run> {
        let payload = ("payload", event::ascii());
        self.run(database, INSERT, clients, time, &[("version", "0".to_owned()), payload]).await
    }

    /// Batches of rows; the rate is that of batches.
    pub(crate) async fn insert_batch(
        &self,
        database: &str,
        clients: u32,
        time: Duration,
    ) -> anyhow::Result<Run> {
        let array = |element: &str| format!("{{{}}}", vec![element; BATCH as usize].join(","));
        let variables = [
            ("version", "0".to_owned()),
            ("ids", array(&event::fresh_id().to_string())),
            ("names", array(&event::name())),
            ("schema_versions", array("1")),
            ("payloads", array(&event::ascii())),
        ];
        self.run(database, INSERT_BATCH, clients, time, &variables).await
    }

    /// Messages of message-db, each in a transaction of its own.
    pub(crate) async fn write_message(
        &self,
        database: &str,
        clients: u32,
        time: Duration,
    ) -> anyhow::Result<Run> {
        let run = event::fresh_id().simple().to_string();
        let data = event::json();
        self.run(
            database,
            WRITE_MESSAGE,
            clients,
            time,
            &[("nr", "9".to_owned()), ("run", run), ("data", data)],
        )
        .await
    }

    async fn run(
        &self,
        database: &str,
        script: &str,
        clients: u32,
        time: Duration,
        variables: &[(&str, String)],
    ) -> anyhow::Result<Run> {
        let file = self.folder.join("script.sql");
        fs::write(&file, script)?;
        let logs = self.folder.join("pgbench");
        fs::create_dir_all(&logs)?;
        let mut command = Command::new(self.programs.join("pgbench"));
        command.arg("--host").arg(&self.sockets).args(["--username", "postgres", "--no-vacuum"]);
        command.args(["--protocol", "prepared", "--client", &clients.to_string()]);
        command.args(["--jobs", &clients.min(2).to_string(), "--time", &time.as_secs().to_string()]);
        command.arg("--file").arg(&file).arg("--log").arg("--log-prefix").arg(logs.join("log"));
        let stream = event::fresh_id().to_string();
        let all = [("kind", event::KIND.to_owned()), ("name", event::name()), ("stream", stream)];
        for (name, value) in all.iter().chain(variables) {
            command.arg(format!("--define={name}={value}"));
        }
        let output = command.arg(database).output().await?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        let median = median_of(&logs)?;
        fs::remove_dir_all(&logs)?;
        Ok(Run { rate: rate.context("pgbench names no rate")?, median })
    }
}

/// The third word of each line is the time of a transaction in microseconds.
fn median_of(logs: &Path) -> anyhow::Result<Duration> {
    let mut text = String::new();
    for log in fs::read_dir(logs)? {
        write!(text, "{}", fs::read_to_string(log?.path())?)?;
    }
    let mut times: Vec<u64> = text.lines().filter_map(|line| line.split(' ').nth(2)?.parse().ok()).collect();
    times.sort_unstable();
    let median = times.get(times.len() / 2).context("pgbench has logged no transaction")?;
    Ok(Duration::from_micros(*median))
}
