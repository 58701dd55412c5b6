//! What bounds a work: whose processor time it takes, and how many commits.

use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context;
use sqlx::PgPool;

/// Clock ticks of /proc per second, the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// What the processors had done at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    at: Instant,
    postmaster: u32,
    client: f64,
    server: f64,
}

/// How many processors were kept busy meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Busy {
    time: Duration,
    client: f64,
    server: f64,
}

/// How far a log and what its server has written were at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    position: i64,
    written: i64,
}

/// What was recorded since, and by how many transactions: each row names its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recorded {
    /// Events.
    pub(crate) events: u64,
    commits: u64,
    /// Bytes of the write-ahead log.
    written: u64,
}

impl Clock {
    /// Starts now.
    pub(crate) fn start(postmaster: u32) -> anyhow::Result<Self> {
        let client = ticks(std::process::id())?.own;
        Ok(Self { at: Instant::now(), postmaster, client, server: server(postmaster)? })
    }

    /// What was kept busy since.
    pub(crate) fn stop(&self) -> anyhow::Result<Busy> {
        let time = self.at.elapsed();
        let client = ticks(std::process::id())?.own - self.client;
        let server = server(self.postmaster)? - self.server;
        let seconds = time.as_secs_f64();
        Ok(Busy { time, client: client / seconds, server: server / seconds })
    }
}

impl Mark {
    /// Sets it now.
    pub(crate) async fn set(log: &PgPool) -> anyhow::Result<Self> {
        Ok(Self { position: eventlog::head(log).await?, written: written(log).await? })
    }

    /// Counts what came after it.
    pub(crate) async fn since(&self, log: &PgPool) -> anyhow::Result<Recorded> {
        let written = written(log).await? - self.written;
        let (events, commits): (i64, i64) = sqlx::query_as(
            "select count(*), count(distinct xmin::text) from eventlog.events where position > $1",
        )
        .bind(self.position)
        .fetch_one(log)
        .await?;
        let [events, commits, written] = [events, commits, written].map(i64::unsigned_abs);
        Ok(Recorded { events, commits, written })
    }
}

async fn written(log: &PgPool) -> sqlx::Result<i64> {
    let written = "select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint";
    sqlx::query_scalar(written).fetch_one(log).await
}

impl Recorded {
    /// What that was in the time of the clock.
    pub(crate) fn said(&self, busy: &Busy) -> String {
        let seconds = busy.time.as_secs_f64();
        let float = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let (events, commits) = (float(self.events), float(self.commits));
        let each = events / commits.max(1.0);
        let bytes = float(self.written) / events.max(1.0);
        let rate = commits / seconds;
        format!(
            "{rate:.0} commits per second of {each:.1} events each, {bytes:.0} bytes of WAL an event; {busy}"
        )
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "processors busy: {:.2} here, {:.2} in the server", self.client, self.server)
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
