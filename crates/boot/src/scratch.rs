//! Databases for tests: one cluster per process, a database of its own per test.
//!
//! The cluster lies in memory where there is room and writes nothing through, so that a test costs the ten
//! milliseconds of copying a template. Nothing is cleaned up at the end of a process, however it ends: the server
//! stops with it, and the next process that comes here sweeps what was left.

use std::collections::HashMap;
use std::fs::{self, File};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Pid, test_kill_process};
use tokio::sync::OnceCell;

use crate::database::{Database, DatabaseError};
use crate::postgres::{Cluster, ClusterConfig, PostgresError};

/// What a scratch cluster's directory is called, before the process id.
const PREFIX: &str = "updraft-scratch-";
/// A container often has less shared memory than a cluster and some hundred databases need.
const MEMORY_BYTES_MIN: u64 = 2 << 30;

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
static TEMPLATES: tokio::sync::Mutex<Option<HashMap<String, Database>>> = tokio::sync::Mutex::const_new(None);
static UNUSED: std::sync::Mutex<Vec<Database>> = std::sync::Mutex::new(Vec::new());
static COPIES: AtomicUsize = AtomicUsize::new(0);

/// A database that only one test uses.
#[derive(Debug)]
pub struct Scratch(Database);

/// Why there is no scratch database.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// The cluster does not start.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// The database cannot be made.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The template could not be filled.
    #[error("the template cannot be filled")]
    Fill(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Deref for Scratch {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A test's runtime ends with it; whoever needs the next database removes this one.
        UNUSED.lock().unwrap_or_else(PoisonError::into_inner).push(self.0.clone());
    }
}

/// The cluster of this process, for tests which need no database of a template.
///
/// # Errors
/// [`PostgresError`], such as that there is no Postgres on this machine.
pub async fn cluster() -> Result<&'static Cluster, PostgresError> {
    let start = async || {
        let parent = place();
        sweep(&parent);
        let folder = parent.join(format!("{PREFIX}{}", std::process::id()));
        Cluster::start(ClusterConfig { durable: false, ..ClusterConfig::in_dir(folder) }).await
    };
    CLUSTER.get_or_try_init(start).await
}

/// A copy of a template, which `fill` prepares once in this process.
///
/// Roles and schemas are there already; connections that `fill` leaves open are ended.
///
/// # Errors
/// [`ScratchError::Fill`] with the answer of `fill`; the others if Postgres fails.
pub async fn database<E>(
    template: &str,
    fill: impl AsyncFnOnce(&Database) -> Result<(), E>,
) -> Result<Scratch, ScratchError>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let cluster = cluster().await?;
    let mut templates = TEMPLATES.lock().await;
    let unused = std::mem::take(&mut *UNUSED.lock().unwrap_or_else(PoisonError::into_inner));
    for database in unused {
        database.remove().await?;
    }
    let templates = templates.get_or_insert_default();
    let source = if let Some(source) = templates.get(template) {
        source
    } else {
        let source = Database::named(cluster, &format!("template_{template}")).await?;
        fill(&source).await.map_err(|error| ScratchError::Fill(error.into()))?;
        source.disconnect().await?;
        templates.entry(template.to_owned()).or_insert(source)
    };
    let name = format!("{template}_{}", COPIES.fetch_add(1, Ordering::Relaxed));
    Ok(Scratch(source.copy(&name).await?))
}

/// Shared memory, or the disk if there is too little.
fn place() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let room = rustix::fs::statvfs(memory).map_or(0, |fs| fs.f_bavail * fs.f_frsize);
    if room >= MEMORY_BYTES_MIN { memory.to_owned() } else { std::env::temp_dir() }
}

/// Removes what processes left that no longer live. What resists is left to the next sweep.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for folder in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if is_abandoned(&folder) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Whether the process that made this folder is gone, and its server as well.
fn is_abandoned(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let pid = name.strip_prefix(PREFIX).and_then(|pid| Pid::from_raw(pid.parse().ok()?));
    let gone = pid.is_some_and(|pid| test_kill_process(pid) == Err(rustix::io::Errno::SRCH));
    gone && File::open(folder.join("cluster.lock")).is_ok_and(|lock| lock.try_lock().is_ok())
}
