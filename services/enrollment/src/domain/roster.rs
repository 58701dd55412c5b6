//! A roster as an HR system exports it: CSV in, one record per line out, and everything that is wrong with it by line and column.
//!
//! A file is looked through first ([`survey`]), so that one that is no roster or not whole is refused before anything is taken
//! over; then it is read line by line ([`Survey::records`]), so that a large file needs no more memory than itself.

mod column;
mod date;
mod encoding;
mod lines;
mod record;
pub mod report;
mod survey;

pub use column::Column;
pub use encoding::Encoding;
pub use record::{Entry, Records};
pub use survey::{Survey, survey};

/// The largest file that is looked into: 64 MiB.
pub const FILE_BYTES_MAX: usize = 64 << 20;
/// The longest line: 64 KiB.
pub const LINE_BYTES_MAX: usize = 64 << 10;
/// The most lines below the header.
pub const LINES_MAX: usize = 500_000;

/// One thing that is wrong with a file, or looks wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The line in the file, from 1; 0 of somebody who is not in the file.
    pub line: usize,
    /// The employee number; empty when the whole file is meant, or it cannot be read.
    pub key: String,
    /// The column by its header in the file; empty when the whole line is meant.
    pub column: String,
    /// Machine code.
    pub code: String,
    /// One sentence; never a cell's content but an employee number.
    pub detail: String,
    /// Whether the line or the file is refused for it.
    pub refused: bool,
}

impl Issue {
    /// An issue for which the file is refused.
    #[must_use]
    pub fn new(line: usize, column: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        let (column, detail) = (column.into(), detail.into());
        Self { line, key: String::new(), column, code: code.to_owned(), detail, refused: true }
    }

    /// What is wrong and where, in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let Self { line, column, detail, .. } = self;
        let place = if column.is_empty() { String::new() } else { format!(", column {column}") };
        format!("In line {line}{place}: {detail}")
    }
}

#[cfg(test)]
mod tests;
