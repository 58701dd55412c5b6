use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};

use super::account::Account;
use super::{PostgresError, ready};

/// The name Postgres gives its socket on the default port.
const SOCKET: &str = ".s.PGSQL.5432";
/// What fits into `sockaddr_un` everywhere (107 bytes on Linux, 103 on macOS).
const SOCKET_PATH_BYTES_MAX: usize = 103;
/// The server's messages are kept for one more round when they have grown beyond this.
const LOG_BYTES_MAX: u64 = 16 << 20;
/// How long a former server may take to end.
const LINGER_SECONDS_MAX: u64 = 30;

/// The data directory, held by this process.
///
/// Two locks decide whose it is. `owner.lock` is held by this process alone. `cluster.lock` is
/// inherited by every process of the server as its standard input, and so is held exactly as
/// long as one of them lives. Unlike process ids, neither can be reused or left behind.
#[derive(Debug)]
pub(super) struct Directory {
    root: PathBuf,
    sockets: PathBuf,
    files_of: Option<(u32, u32)>,
    _owner: File,
}

impl Directory {
    /// Takes the directory for this process and makes it, where it is not there yet.
    pub(super) fn claim(root: &Path, account: &Account) -> Result<Self, PostgresError> {
        make_private(root).map_err(PostgresError::io("create", root))?;
        let root = root.canonicalize().map_err(PostgresError::io("find", root))?;
        let owner = claim_owner(&root)?;
        let sockets = sockets_of(&root, account)?;
        let directory = Self { root, sockets, files_of: account.files_of, _owner: owner };
        directory.open_to(account)?;
        Ok(directory)
    }

    /// Where the server keeps its data.
    pub(super) fn data(&self) -> PathBuf {
        self.root.join("postgres")
    }

    /// Where a new cluster is made before it takes its place in one step.
    pub(super) fn draft(&self) -> PathBuf {
        self.root.join("postgres.new")
    }

    /// Where the server listens; nobody else may enter.
    pub(super) fn sockets(&self) -> &Path {
        &self.sockets
    }

    pub(super) fn log_file(&self) -> PathBuf {
        self.root.join("postgres.log")
    }

    /// Opens the server's log for appending.
    pub(super) fn open_log(&self) -> Result<File, PostgresError> {
        let path = self.log_file();
        if fs::metadata(&path).is_ok_and(|log| log.len() > LOG_BYTES_MAX) {
            let old = path.with_extension("log.old");
            fs::rename(&path, old).map_err(PostgresError::io("rename", &path))?;
        }
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600).open(&path).map_err(PostgresError::io("open", &path))
    }

    /// Waits until no process of a former server is left, and takes the lock the next one inherits.
    pub(super) fn lock_cluster(&self) -> Result<File, PostgresError> {
        let path = self.root.join("cluster.lock");
        let file = lock_file(&path).map_err(PostgresError::io("open", &path))?;
        let begin = Instant::now();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(PostgresError::io("lock", &path)(error)),
                Err(TryLockError::WouldBlock) if begin.elapsed().as_secs() >= LINGER_SECONDS_MAX => {
                    return Err(PostgresError::Lingers {
                        dir: self.root.clone(),
                        seconds: LINGER_SECONDS_MAX,
                    });
                }
                Err(TryLockError::WouldBlock) => {
                    if !told {
                        tracing::info!("waiting for the former Postgres to end");
                        told = self.stop_orphan();
                    }
                    sleep(Duration::from_millis(5));
                }
            }
        }
    }

    /// Removes what a killed server leaves behind; only with the cluster's lock in hand.
    ///
    /// Postgres takes a stale `postmaster.pid` for a live one when its process id is in use again. The file
    /// is kept if that process works in the data directory: somebody then started it without us.
    pub(super) fn clear_leftovers(&self) -> Result<(), PostgresError> {
        let data = self.data();
        let Some(pid) = ready::postmaster_pid(&data) else { return Ok(()) };
        let process = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
        if !Path::new("/proc/self").exists()
            || fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == data)
        {
            return Ok(());
        }
        for file in [data.join("postmaster.pid"), self.socket(), self.sockets.join(format!("{SOCKET}.lock"))]
        {
            remove_if_there(fs::remove_file(&file)).map_err(PostgresError::io("remove", file))?;
        }
        Ok(())
    }

    /// Empties the place where a new cluster is made.
    pub(super) fn clear_draft(&self) -> Result<(), PostgresError> {
        let draft = self.draft();
        remove_if_there(fs::remove_dir_all(&draft)).map_err(PostgresError::io("remove", &draft))?;
        make_private(&draft).map_err(PostgresError::io("create", &draft))?;
        self.give(&draft)
    }

    /// Makes the names in the directory as lasting as what they name.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.root)?.sync_all()
    }

    /// Stops a server that outlived its launcher, if one answers on the socket.
    ///
    /// Whoever listens there wrote `postmaster.pid`, so the process id in it cannot be another's.
    fn stop_orphan(&self) -> bool {
        let listens = UnixStream::connect(self.socket()).is_ok();
        let orphan = ready::postmaster_pid(&self.data()).filter(|_| listens);
        orphan.is_some_and(|pid| kill_process(pid, Signal::INT).is_ok())
    }

    fn socket(&self) -> PathBuf {
        self.sockets.join(SOCKET)
    }

    /// Lets the account pass through to its own folders, without showing it what else is here.
    fn open_to(&self, account: &Account) -> Result<(), PostgresError> {
        let Some((uid, _)) = account.files_of else { return Ok(()) };
        if uid != 0 {
            let mode = fs::metadata(&self.root).map_err(PostgresError::io("read", &self.root))?.mode();
            fs::set_permissions(&self.root, Permissions::from_mode(mode | 0o001))
                .map_err(PostgresError::io("change the mode of", &self.root))?;
        }
        self.give(&self.sockets)?;
        if self.data().exists() {
            self.give(&self.data())?;
        }
        let mut probe = account.command(Path::new("test"));
        if probe.arg("-w").arg(&self.sockets).status().is_ok_and(|status| status.success()) {
            return Ok(());
        }
        Err(PostgresError::Unreachable { user: account.user.clone(), dir: self.root.clone() })
    }

    /// Makes `folder` and all in it the account's, unless it is already.
    fn give(&self, folder: &Path) -> Result<(), PostgresError> {
        let Some((uid, gid)) = self.files_of else { return Ok(()) };
        let meta = fs::metadata(folder).map_err(PostgresError::io("read", folder))?;
        if meta.uid() == uid {
            return Ok(());
        }
        give_all(folder, uid, gid).map_err(PostgresError::io("change the owner of", folder))
    }
}

/// A directory that only its owner may enter.
fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn claim_owner(root: &Path) -> Result<File, PostgresError> {
    let path = root.join("owner.lock");
    let mut file = lock_file(&path).map_err(PostgresError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid).map_err(PostgresError::io("read", &path))?;
            return Err(PostgresError::InUse { dir: root.to_owned(), pid: pid.trim().to_owned() });
        }
        Err(TryLockError::Error(error)) => return Err(PostgresError::io("lock", &path)(error)),
    }
    let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(PostgresError::io("write", &path))?;
    Ok(file)
}

/// A file that exists for its lock; programs we start do not inherit it by themselves.
fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Where the server of a data directory listens, if one does.
pub(super) fn listening(root: &Path, account: &Account) -> Option<PathBuf> {
    let root = root.canonicalize().ok()?;
    let beside = root.join("run");
    let sockets = if fits(&beside) { beside } else { away_from(&root) };
    let listens = || UnixStream::connect(sockets.join(SOCKET)).is_ok();
    (is_ours(&sockets, account) && listens()).then_some(sockets)
}

/// `run` beside the data, or a folder of the system's temporary directory if that path is too long.
fn sockets_of(root: &Path, account: &Account) -> Result<PathBuf, PostgresError> {
    let beside = root.join("run");
    if fits(&beside) {
        make_private(&beside).map_err(PostgresError::io("create", &beside))?;
        // It may have been there before us, open to others.
        fs::set_permissions(&beside, Permissions::from_mode(0o700))
            .map_err(PostgresError::io("change the mode of", &beside))?;
        return Ok(beside);
    }
    let away = away_from(root);
    if !is_ours(&away, account) {
        // Anybody may have made it, or a link in its place: then it is removed, or nothing works.
        remove_if_there(fs::remove_dir_all(&away)).map_err(PostgresError::io("remove", &away))?;
        DirBuilder::new().mode(0o700).create(&away).map_err(PostgresError::io("create", &away))?;
    }
    Ok(away)
}

fn fits(sockets: &Path) -> bool {
    sockets.join(SOCKET).as_os_str().len() <= SOCKET_PATH_BYTES_MAX
}

fn away_from(root: &Path) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    root.hash(&mut hasher);
    std::env::temp_dir().join(format!("updraft-{:016x}", hasher.finish()))
}

/// Whether this is a folder that nobody but us and the account can enter.
fn is_ours(path: &Path, account: &Account) -> bool {
    let own = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(path).is_ok_and(|meta| {
        let owner = meta.uid() == own || account.files_of.is_some_and(|(uid, _)| uid == meta.uid());
        meta.is_dir() && owner && meta.mode() & 0o777 == 0o700
    })
}

fn give_all(path: &Path, uid: u32, gid: u32) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            give_all(&entry?.path(), uid, gid)?;
        }
    }
    std::os::unix::fs::lchown(path, Some(uid), Some(gid))
}

fn remove_if_there(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
