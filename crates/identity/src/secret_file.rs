//! Secrets that live in a file only their owner can read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::Id;

/// Reads the secret, and creates the file first (mode 0600) where there is none.
///
/// A new secret is written beside its place and linked there when it is complete: a crash leaves no
/// half a secret, and of two processes that start at once both use the one that came first.
///
/// # Errors
///
/// What the file system answers, or what `fresh` answers when it makes the secret up.
pub fn read_or_create(path: &Path, fresh: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => return other,
    }
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", Id::<()>::mint()));
    let linked =
        fresh().and_then(|secret| write(draft.as_ref(), &secret)).and_then(|()| fs::hard_link(&draft, path));
    // The draft may not even exist; what counts is whether it was linked.
    let _ = fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => {
            // What is about to be sealed with the secret must not outlive its name in the folder.
            File::open(folder)?.sync_all()?;
            fs::read(path)
        }
    }
}

fn write(path: &Path, secret: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(secret)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::thread;

    use super::*;

    #[test]
    fn of_many_that_create_at_once_all_get_the_same_secret() {
        let folder = std::env::temp_dir().join(format!("updraft-{}", Id::<()>::mint()));
        let path = folder.join("keys/secret");
        let secrets: Vec<_> = thread::scope(|scope| {
            let path = &path;
            let threads: Vec<_> = (0..8_u8)
                .map(|n| scope.spawn(move || read_or_create(path, || Ok(vec![n; 32])).unwrap()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(secrets.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "drafts are cleared away");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_secret_that_cannot_be_made_up_leaves_no_file() {
        let path = std::env::temp_dir().join(format!("updraft-{}", Id::<()>::mint()));
        let refused = read_or_create(&path, || Err(io::Error::other("no randomness")));
        assert_eq!(refused.unwrap_err().to_string(), "no randomness");
        assert!(!path.exists());
    }
}
