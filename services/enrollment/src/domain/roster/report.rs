//! What became of every line, as a file that a spreadsheet opens.

use csv::{Terminator, WriterBuilder};

use crate::domain::worker::Outcome;

/// One row of the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportRow {
    /// The line in the file, from 1; 0 of somebody who is not in the file.
    pub line: i32,
    /// Employee number; empty when the whole file is meant, or it cannot be read.
    pub key: String,
    /// What was done; empty of what is about the whole file.
    pub outcome: String,
    /// The column by its header.
    pub column: String,
    /// Machine code.
    pub code: String,
    /// One sentence.
    pub detail: String,
}

/// What became of a line, in a word.
#[must_use]
pub const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Updated => "updated",
        Outcome::Unchanged => "unchanged",
        Outcome::Stale => "stale",
        Outcome::Rejected => "rejected",
        Outcome::Removed => "removed",
        Outcome::Scheduled => "scheduled",
    }
}

/// How the report begins: a byte order mark, by which spreadsheets know UTF-8, and the header.
pub const HEADER: &str = "\u{feff}line;key;outcome;column;code;detail\r\n";

/// Rows as lines of the file.
///
/// # Errors
/// If the memory for them is not there.
pub fn lines(rows: &[ReportRow]) -> Result<Vec<u8>, csv::Error> {
    let mut writer =
        WriterBuilder::new().delimiter(b';').terminator(Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        let line = row.line.to_string();
        let texts = [&row.key, &row.outcome, &row.column, &row.code, &row.detail].map(|text| defused(text));
        writer.write_field(&line)?;
        writer.write_record(texts)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// A text that no spreadsheet takes for a formula: an apostrophe in front makes it text.
///
/// # Source
/// OWASP, CSV Injection.
fn defused(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_line_with_semicolons() {
        let row = ReportRow { line: 2, key: "E1".into(), outcome: "created".into(), ..ReportRow::default() };
        assert_eq!(lines(&[row.clone(), row]).unwrap(), b"2;E1;created;;;\r\n2;E1;created;;;\r\n");
    }

    #[test]
    fn what_a_spreadsheet_would_compute_is_defused() {
        for key in ["=1+1", "+49", "-1", "@sum", "\tx"] {
            let row =
                ReportRow { line: 2, key: key.to_owned(), detail: "a; b".into(), ..ReportRow::default() };
            let text = String::from_utf8(lines(&[row]).unwrap()).unwrap();
            assert_eq!(text, format!("2;'{key};;;;\"a; b\"\r\n"));
        }
    }
}
