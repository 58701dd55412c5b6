//! Whose processor time a work takes, and how many commits and flushes.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context;
use sqlx::PgPool;

/// Clock ticks of /proc per second, the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// What the processors had done, and the log had grown to, at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    at: Instant,
    client: f64,
    server: f64,
    position: i64,
}

/// What happened between two moments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// How long it took.
    pub(crate) time: Duration,
    /// Processors that this process kept busy.
    pub(crate) client: f64,
    /// Processors that the server kept busy.
    pub(crate) server: f64,
    /// Events recorded.
    pub(crate) events: u64,
    /// Transactions that recorded them.
    pub(crate) commits: u64,
}

impl Mark {
    /// Marks this moment.
    pub(crate) async fn now(postmaster: u32, log: &PgPool) -> anyhow::Result<Self> {
        let position = sqlx::query_scalar("select coalesce(max(position), 0) from eventlog.events");
        let position = position.fetch_one(log).await?;
        let client = ticks(std::process::id())?.own;
        Ok(Self { at: Instant::now(), client, server: server(postmaster)?, position })
    }

    /// What has happened since; who appended is told from the rows, which name their transactions.
    pub(crate) async fn since(&self, postmaster: u32, log: &PgPool) -> anyhow::Result<Load> {
        let time = self.at.elapsed();
        let client = ticks(std::process::id())?.own - self.client;
        let server = server(postmaster)? - self.server;
        let (events, commits): (i64, i64) = sqlx::query_as(
            "select count(*), count(distinct xmin::text) from eventlog.events where position > $1",
        )
        .bind(self.position)
        .fetch_one(log)
        .await?;
        let seconds = time.as_secs_f64();
        Ok(Load {
            time,
            client: client / seconds,
            server: server / seconds,
            events: events.unsigned_abs(),
            commits: commits.unsigned_abs(),
        })
    }
}

impl std::fmt::Display for Load {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.time.as_secs_f64();
        let float = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let (events, commits) = (float(self.events), float(self.commits));
        write!(
            formatter,
            "{:.0} events and {:.0} commits per second, {:.1} events a commit; processors busy: {:.2} here, {:.2} in the server",
            events / seconds,
            commits / seconds,
            events / commits.max(1.0),
            self.client,
            self.server
        )
    }
}

/// Seconds of processor time.
struct Ticks {
    own: f64,
    /// Of children that have ended and were waited for.
    ended: f64,
    parent: u32,
}

/// The server with all its processes, those that have ended included.
fn server(postmaster: u32) -> anyhow::Result<f64> {
    let itself = ticks(postmaster)?;
    let mut total = itself.own + itself.ended;
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // A process that ends meanwhile is counted by its parent.
        if let Ok(child) = ticks(pid)
            && child.parent == postmaster
        {
            total += child.own;
        }
    }
    Ok(total)
}

/// Reads /proc/PID/stat; see proc(5): after the name in brackets, field 4 is the parent, 14 to 17 are the times.
fn ticks(pid: u32) -> anyhow::Result<Ticks> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("a line of /proc has no name")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let number = |field: usize| -> anyhow::Result<u32> {
        let text = fields.get(field - 3).context("a line of /proc is too short")?;
        Ok(text.parse()?)
    };
    let seconds = |field: usize| anyhow::Ok(f64::from(number(field)?) / TICKS_PER_SECOND);
    Ok(Ticks { own: seconds(14)? + seconds(15)?, ended: seconds(16)? + seconds(17)?, parent: number(4)? })
}
