use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;

use super::server::{Server, Site};
use super::{ClusterConfig, PostgresError};

/// A server that ends more often than this within a minute is left alone.
const RESTARTS_PER_MINUTE_MAX: usize = 5;

/// How the server's keeper came to an end.
#[derive(Debug, Clone)]
pub(super) enum Ending {
    /// The server was stopped, or never started.
    Stopped,
    /// The server ended again and again.
    GaveUp { times: usize, log: PathBuf },
}

/// What the keeper's thread and the rest of the process share.
#[derive(Debug, Default)]
pub(super) struct Handle(Mutex<Watched>);

#[derive(Debug, Default)]
struct Watched {
    postmaster: Option<Pid>,
    stopping: bool,
}

impl Handle {
    /// Stops the server once and for all; running transactions are rolled back, what is committed stays.
    pub(super) fn stop(&self) {
        self.watched().stopping = true;
        self.signal(Signal::INT);
    }

    /// Sends a signal to the server, if it runs.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.watched().postmaster
            && let Err(error) = kill_process(pid, signal)
        {
            tracing::warn!(%error, "cannot signal Postgres");
        }
    }

    /// The server's process id while it runs.
    pub(super) fn postmaster(&self) -> Option<Pid> {
        self.watched().postmaster
    }

    pub(super) fn started(&self, pid: Pid) {
        self.watched().postmaster = Some(pid);
        if self.is_stopping() {
            self.signal(Signal::INT);
        }
    }

    pub(super) fn ended(&self) {
        self.watched().postmaster = None;
    }

    fn is_stopping(&self) -> bool {
        self.watched().stopping
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the server and keeps it running until it is told to stop; the body of the keeper's thread.
pub(super) fn keep(
    config: &ClusterConfig,
    handle: &Handle,
    started: oneshot::Sender<Result<PathBuf, PostgresError>>,
) -> Ending {
    let first = Site::claim(config).and_then(|site| site.start(handle).map(|server| (site, server)));
    let (site, mut server) = match first {
        Ok(running) => running,
        Err(error) => {
            // Nobody listens any more if the start was cancelled; then nobody asks for the reason either.
            let _ = started.send(Err(error));
            return Ending::Stopped;
        }
    };
    if started.send(Ok(site.sockets().to_owned())).is_err() {
        handle.stop();
    }
    let mut ends = Vec::new();
    loop {
        server.wait(handle);
        match restart(&site, handle, &mut ends) {
            Ok(next) => server = next,
            Err(ending) => return ending,
        }
    }
}

/// Starts the server anew after it ended by itself.
fn restart(site: &Site, handle: &Handle, ends: &mut Vec<Instant>) -> Result<Server, Ending> {
    loop {
        if handle.is_stopping() {
            return Err(Ending::Stopped);
        }
        ends.retain(|end| end.elapsed() < Duration::from_mins(1));
        ends.push(Instant::now());
        if ends.len() > RESTARTS_PER_MINUTE_MAX {
            return Err(Ending::GaveUp { times: ends.len(), log: site.log_file() });
        }
        tracing::warn!("Postgres ended by itself and is started anew");
        match site.start(handle) {
            Ok(server) => return Ok(server),
            Err(_) if handle.is_stopping() => {}
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "Postgres did not start"),
        }
        sleep(Duration::from_millis(500));
    }
}
