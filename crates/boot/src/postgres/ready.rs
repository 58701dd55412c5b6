use std::fs;
use std::path::Path;

use rustix::process::Pid;

/// The process id a server wrote into its data directory when it started.
pub(super) fn postmaster_pid(data: &Path) -> Option<Pid> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
}

/// Whether the server with this process id says that it accepts connections.
///
/// # Source
/// Postgres, `miscadmin.h`: line 8 of `postmaster.pid` is the status, which `pg_ctl` reads, too.
pub(super) fn is_ready(data: &Path, pid: Pid) -> bool {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let status = text.lines().nth(7).map(str::trim);
    postmaster_pid(data) == Some(pid) && status == Some("ready")
}
