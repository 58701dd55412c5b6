use std::io;
use std::path::PathBuf;

/// Why there is no private Postgres, each in one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// Another process holds the data directory.
    #[error("another Updraft uses {} (process {pid})", dir.display())]
    InUse {
        /// The data directory.
        dir: PathBuf,
        /// The process that holds it, as it wrote it down.
        pid: String,
    },
    /// No usable server programs were found.
    #[error(
        "no Postgres of version 15 or later was found: install the package postgresql, put its programs on the \
         PATH, name their folder in UPDRAFT_POSTGRES_BIN, or use a running server with UPDRAFT_DATABASE_URL"
    )]
    NoPrograms,
    /// The named folder holds no usable server programs.
    #[error("UPDRAFT_POSTGRES_BIN names {}, which holds no working Postgres of version 15 or later", dir.display())]
    BadPrograms {
        /// The folder that was named.
        dir: PathBuf,
    },
    /// The data were written by another major version.
    #[error(
        "the data in {} were written by Postgres {data}, but only version {found} was found: install {data} beside it",
        dir.display()
    )]
    OtherVersion {
        /// The server's data.
        dir: PathBuf,
        /// The major version that wrote them.
        data: u32,
        /// The major versions that were found.
        found: String,
    },
    /// Postgres refuses to run as root and nothing else is possible here.
    #[error(
        "Postgres does not run as root, and neither unshare nor setpriv works here: start Updraft as another user"
    )]
    NoAccount,
    /// The unprivileged user has no way to the data directory.
    #[error(
        "Postgres runs as user {user} here, who cannot reach {}: choose another UPDRAFT_DATA_DIR, such as \
         /var/lib/updraft",
        dir.display()
    )]
    Unreachable {
        /// The user Postgres would run as.
        user: String,
        /// The directory that cannot be reached.
        dir: PathBuf,
    },
    /// A former server of this cluster did not end.
    #[error("a former Postgres still runs on {} after {seconds} s", dir.display())]
    Lingers {
        /// The data directory.
        dir: PathBuf,
        /// How long it was waited for, in seconds.
        seconds: u64,
    },
    /// A server program ended with an error.
    #[error("{program} failed: {reason} (see {})", log.display())]
    Failed {
        /// The program that failed.
        program: &'static str,
        /// Its last words.
        reason: String,
        /// Where to read more.
        log: PathBuf,
    },
    /// The server ended again and again.
    #[error("Postgres ended {times} times within a minute and is left alone (see {})", log.display())]
    GaveUp {
        /// How often it ended.
        times: usize,
        /// Where to read more.
        log: PathBuf,
    },
    /// A file or program could not be used.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was to be done.
        action: &'static str,
        /// The file or program it was to be done with.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl PostgresError {
    /// Says what was to be done with which file; for `map_err`.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
