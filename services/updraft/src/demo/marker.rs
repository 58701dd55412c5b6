//! Remembers whether the demonstration was played in a data directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const PLAYING: &str = "playing\n";
const PLAYED: &str = "played\n";

/// A file beside the data that says how far the demonstration came.
pub struct Marker {
    file: PathBuf,
    first_start: bool,
}

impl Marker {
    /// Reads the marker of a data directory, before anything is made in it.
    #[must_use]
    pub fn in_dir(dir: &Path) -> Self {
        Self { file: dir.join("demonstration"), first_start: !dir.join("postgres").exists() }
    }

    /// Whether there is no data yet.
    #[must_use]
    pub fn is_first_start(&self) -> bool {
        self.first_start
    }

    /// Whether the demonstration began and did not end.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|text| text == PLAYING)
    }

    /// The data directory, for people.
    #[must_use]
    pub fn dir(&self) -> String {
        self.file.parent().map(crate::run::shown).unwrap_or_default()
    }

    /// Notes that it begins.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn playing(&self) -> io::Result<()> {
        fs::write(&self.file, PLAYING)
    }

    /// Notes that it ended.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn played(&self) -> io::Result<()> {
        fs::write(&self.file, PLAYED)
    }
}
