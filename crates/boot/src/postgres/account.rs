use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::PostgresError;

/// Who the server's programs run as, since Postgres refuses to run as root.
///
/// Every variant also asks the kernel to stop the program (`PR_SET_PDEATHSIG`) when the *thread* which
/// spawned it ends: only the keeper's thread, which lasts, may spawn.
#[derive(Debug)]
pub(super) struct Account {
    /// The words before the program's own.
    launcher: Vec<String>,
    /// The user in front of an outsider.
    pub(super) user: String,
    /// Whose the files must be, where that is not a matter of course.
    pub(super) files_of: Option<(u32, u32)>,
}

impl Account {
    /// The first way to run a program unprivileged that works on this machine.
    pub(super) fn choose() -> Result<Self, PostgresError> {
        let candidates =
            if rustix::process::geteuid().is_root() { Self::for_root() } else { Self::for_user() };
        candidates.into_iter().find(Self::works).ok_or(PostgresError::NoAccount)
    }

    /// A command that runs `program` as this account, in a process group of its own.
    ///
    /// Ctrl-C reaches the whole foreground group: Postgres has to stop last, not at once.
    pub(super) fn command(&self, program: &Path) -> Command {
        use std::os::unix::process::CommandExt;

        let mut command = match self.launcher.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        let settings = std::env::vars_os().map(|(name, _)| name);
        for name in settings.filter(|name| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").stdin(Stdio::null()).process_group(0);
        command
    }

    /// In a user namespace the data stay root's; where that is refused, they become the user's.
    fn for_root() -> Vec<Self> {
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let Some((user, uid, gid)) = ["postgres", "nobody"].iter().find_map(|name| entry(&accounts, name))
        else {
            return Vec::new();
        };
        let namespace = format!("unshare --user --map-user={uid} --map-group={gid} setpriv --pdeathsig INT");
        let switch = format!("setpriv --reuid={uid} --regid={gid} --clear-groups --pdeathsig INT");
        vec![
            Self { launcher: words(&namespace), user: "root".to_owned(), files_of: Some((0, 0)) },
            Self { launcher: words(&switch), user, files_of: Some((uid, gid)) },
        ]
    }

    /// Without setpriv an orphan is stopped by the next start instead.
    fn for_user() -> Vec<Self> {
        let user = std::env::var("USER").unwrap_or_else(|_| "of this process".to_owned());
        let alone = Self { launcher: Vec::new(), user: user.clone(), files_of: None };
        vec![Self { launcher: words("setpriv --pdeathsig INT"), user, files_of: None }, alone]
    }

    fn works(&self) -> bool {
        let mut probe = self.command(Path::new("true"));
        probe.stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    }
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// The name, user id and group id of `name`'s line in /etc/passwd.
fn entry(accounts: &str, name: &str) -> Option<(String, u32, u32)> {
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((name.to_owned(), fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts =
            "root:x:0:0:root:/root:/bin/bash\npostgres2:x:7:7::/:/bin/sh\npostgres:x:101:104::/:/bin/sh\n";
        assert_eq!(entry(accounts, "postgres"), Some(("postgres".to_owned(), 101, 104)));
        assert_eq!(entry(accounts, "nobody"), None);
    }
}
