//! The first look through a file: what it is, whether it is whole, and who stands in it twice.

use std::collections::{BTreeMap, HashMap};

use super::column::{Column, Layout};
use super::encoding::Encoding;
use super::lines::{CutOff, Line, Lines, delimiter};
use super::{FILE_BYTES_MAX, Issue, LINES_MAX};
use crate::domain::worker;

/// So many of the lines of one person are named.
const LINES_NAMED_MAX: usize = 5;

/// What a file is, before its lines are read one by one.
#[derive(Clone, Debug)]
pub struct Survey {
    /// How it is encoded.
    pub encoding: Encoding,
    /// What separates its cells.
    pub delimiter: char,
    /// How many lines stand below the header, empty ones apart.
    pub lines: usize,
    /// How many different employee numbers they name.
    pub people: usize,
    /// What looks wrong with the file as a whole and is no reason to refuse it.
    pub noticed: Vec<Issue>,
    pub(super) layout: Layout,
    /// Who stands in several lines, and in which.
    pub(super) twice: BTreeMap<String, Vec<usize>>,
}

/// Looks through a file, of which the sender may know how many people it holds.
///
/// # Errors
/// Why it is refused as a whole; never an empty list.
pub fn survey(file: &[u8], expected_people: Option<usize>) -> Result<Survey, Vec<Issue>> {
    if file.len() > FILE_BYTES_MAX {
        return Err(vec![Issue::new(1, "", "FILE_TOO_LARGE", "The file is larger than 64 MiB.")]);
    }
    let (encoding, text) = Encoding::of(file).map_err(|issue| vec![issue])?;
    let delimiter = delimiter(text);
    let mut lines = Lines::of(text, delimiter);
    let header = match lines.next() {
        Some(header) => header.map_err(|issue| vec![issue])?,
        None => return Err(vec![Issue::new(1, "", "EMPTY_FILE", "The file is empty.")]),
    };
    let layout = Layout::of(&header, encoding)?;
    let header_line = header.last;
    let mut look = Look::new(encoding, layout);
    look.note_encoding(&header);

    let mut last_line = header_line;
    while let Some(line) = lines.next() {
        let line = line.map_err(|issue| vec![issue])?;
        if line.is_empty() {
            continue;
        }
        look.line(&line)?;
        last_line = line.last;
    }
    if look.lines == 0 {
        let detail = "The file has a header and nobody below it.";
        return Err(vec![Issue::new(header_line, "", "EMPTY_FILE", detail)]);
    }
    if let Some(expected) = expected_people.filter(|expected| *expected != look.lines) {
        let detail =
            format!("The file has {} lines below its header, not {expected}: it is not whole.", look.lines);
        return Err(vec![Issue::new(last_line, "", "UNEXPECTED_NUMBER", detail)]);
    }
    Ok(look.into_survey(char::from(delimiter)))
}

impl Survey {
    /// Whether a person stands in several lines, and in which.
    pub(super) fn lines_of(&self, key: &str) -> Option<String> {
        let lines = self.twice.get(key)?;
        let named: Vec<String> = lines.iter().take(LINES_NAMED_MAX).map(ToString::to_string).collect();
        let more = if lines.len() > LINES_NAMED_MAX { " and others" } else { "" };
        Some(named.join(", ") + more)
    }

    /// The column that a field of a record came from, by its header in the file; empty if it came from none.
    #[must_use]
    pub fn column_of(&self, field: &str) -> &str {
        super::record::column_of(field).map_or("", |column| self.layout.header(column))
    }
}

/// What was seen so far.
struct Look {
    encoding: Encoding,
    layout: Layout,
    lines: usize,
    line_of: HashMap<String, usize>,
    twice: BTreeMap<String, Vec<usize>>,
    noticed: Vec<Issue>,
}

impl Look {
    fn new(encoding: Encoding, layout: Layout) -> Self {
        Self {
            encoding,
            layout,
            lines: 0,
            line_of: HashMap::new(),
            twice: BTreeMap::new(),
            noticed: Vec::new(),
        }
    }

    /// # Errors
    /// If the file ends in the middle of the line, or has too many.
    fn line(&mut self, line: &Line<'_>) -> Result<(), Vec<Issue>> {
        if let Some(issue) = self.cut_off(line) {
            return Err(vec![issue]);
        }
        self.lines += 1;
        if self.lines > LINES_MAX {
            let detail = format!("The file has more than {LINES_MAX} lines.");
            return Err(vec![Issue::new(line.number, "", "FILE_TOO_LONG", detail)]);
        }
        self.note_encoding(line);
        let Some(key) = self.key(line) else { return Ok(()) };
        if let Some(first) = self.line_of.get(&key) {
            self.twice.entry(key).or_insert_with(|| vec![*first]).push(line.number);
        } else {
            self.line_of.insert(key, line.number);
        }
        Ok(())
    }

    fn cut_off(&self, line: &Line<'_>) -> Option<Issue> {
        let cut = |number, column: &str, detail: &str| {
            let detail = format!(
                "{detail} The file is cut off, or a quotation mark is missing; nothing was taken over."
            );
            Some(Issue::new(number, column, "CUT_OFF", detail))
        };
        match line.cut_off? {
            CutOff::InQuotes(number) => {
                let column = self.layout.header_at(line.len().saturating_sub(1));
                cut(number, column, "The file ends in the middle of a cell in quotes, which begins here.")
            }
            CutOff::WithoutBreak if line.len() < self.layout.width() => {
                cut(line.number, "", "The file ends in the middle of this line, before its last cell.")
            }
            CutOff::WithoutBreak => None,
        }
    }

    /// Whom a line is about, if it says so.
    fn key(&self, line: &Line<'_>) -> Option<String> {
        let place =
            self.layout.place(Column::EmployeeNumber).filter(|_| line.len() == self.layout.width())?;
        let key = self.encoding.decode(line.cell(place))?;
        let key = key.trim();
        worker::key("", key).is_ok().then(|| key.to_owned())
    }

    /// Says once, at the first place, that the file was read as Windows-1252.
    fn note_encoding(&mut self, line: &Line<'_>) {
        if self.encoding == Encoding::Utf8 || !self.noticed.is_empty() {
            return;
        }
        if let Some(place) = line.cells().position(|cell| !cell.is_ascii()) {
            let detail = "The file is not UTF-8; it was read as Windows-1252, from this cell on. See that the names are right.";
            let issue = Issue::new(line.number, self.layout.header_at(place), "WINDOWS_1252", detail);
            self.noticed.push(Issue { refused: false, ..issue });
        }
    }

    fn into_survey(self, delimiter: char) -> Survey {
        let people = self.line_of.len();
        let Self { encoding, layout, lines, twice, noticed, .. } = self;
        Survey { encoding, delimiter, lines, people, noticed, layout, twice }
    }
}
