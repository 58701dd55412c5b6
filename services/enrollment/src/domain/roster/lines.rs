//! The lines of a file, one after the other, without holding more than one of them.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{Issue, LINE_BYTES_MAX};

/// So many cells a line may have.
const CELLS_MAX: usize = 1000;
/// What may separate cells; of several that are in the header, the most frequent does, and of equals the first of these.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// What separates the cells of a file, as its first line shows.
pub(super) fn delimiter(text: &[u8]) -> u8 {
    let header = text.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty());
    let header = header.unwrap_or_default();
    // A separator in quotes separates nothing.
    let outside = || header.split(|byte| *byte == b'"').step_by(2).flatten();
    let frequency = |delimiter: &&u8| outside().filter(|byte| byte == delimiter).count();
    DELIMITERS.iter().rev().max_by_key(frequency).copied().unwrap_or(b',')
}

/// Reads a text line by line. Empty lines are passed over.
pub(super) struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    delimiter: u8,
    reader: Reader,
    cells: Vec<u8>,
    ends: Vec<usize>,
}

/// One line of a file, or several if a cell in quotes goes on.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// The line in which it begins, from 1.
    pub(super) number: usize,
    /// The line in which it ends.
    pub(super) last: usize,
    /// How the file ends in the middle of it, if it does.
    pub(super) cut_off: Option<CutOff>,
    cells: &'a [u8],
    ends: &'a [usize],
}

/// How a file ends in the middle of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CutOff {
    /// A cell in quotes, which begins in this line, does not end.
    InQuotes(usize),
    /// No line break comes any more. Many a file ends so and is whole.
    WithoutBreak,
}

impl Line<'_> {
    /// How many cells it has.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A cell; empty beyond the last.
    pub(super) fn cell(&self, place: usize) -> &[u8] {
        let begin = place.checked_sub(1).map_or(Some(&0), |before| self.ends.get(before));
        let cell = begin.zip(self.ends.get(place)).and_then(|(begin, end)| self.cells.get(*begin..*end));
        cell.unwrap_or_default()
    }

    /// All cells.
    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|place| self.cell(place))
    }

    /// Whether it says nothing of anybody, as the lines below a table do that a spreadsheet saved.
    pub(super) fn is_empty(&self) -> bool {
        self.cells.trim_ascii().is_empty()
    }
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a [u8], delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { text, at: 0, delimiter, reader, cells: vec![0; LINE_BYTES_MAX], ends: vec![0; CELLS_MAX] }
    }

    /// The next line that is not empty; an issue if it is too long, and nothing more after that.
    pub(super) fn next(&mut self) -> Option<Result<Line<'_>, Issue>> {
        // The reader stands before the empty lines that it passes over, and counts them only then.
        let rest = self.text.get(self.at..).unwrap_or_default();
        let breaks = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        let begin = self.at + breaks;
        if begin >= self.text.len() {
            return None;
        }
        let number = line(&self.reader) + count(&rest[..breaks], b'\n');
        let (mut length, mut width) = (0, 0);
        loop {
            let input = self.text.get(self.at..).unwrap_or_default();
            let (cells, ends) = (&mut self.cells[length..], &mut self.ends[width..]);
            let (result, read, written, ended) = self.reader.read_record(input, cells, ends);
            self.at += read;
            length += written;
            width += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return None,
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    let raw = &self.text[begin..self.at];
                    self.at = self.text.len();
                    return Some(Err(too_long(number, raw, self.delimiter)));
                }
            }
        }
        let raw = &self.text[begin..self.at];
        let cut_off = if self.at < self.text.len() { None } else { cut_off(number, raw, self.delimiter) };
        let last = number + count(raw.trim_ascii_end(), b'\n');
        Some(Ok(Line { number, last, cut_off, cells: &self.cells[..length], ends: &self.ends[..width] }))
    }
}

fn line(reader: &Reader) -> usize {
    usize::try_from(reader.line()).unwrap_or(usize::MAX)
}

fn count(bytes: &[u8], wanted: u8) -> usize {
    bytes.split(|byte| *byte == wanted).count() - 1
}

fn cut_off(number: usize, raw: &[u8], delimiter: u8) -> Option<CutOff> {
    match open_quote(raw, delimiter) {
        Some(place) => Some(CutOff::InQuotes(number + count(&raw[..place], b'\n'))),
        None if raw.ends_with(b"\n") || raw.ends_with(b"\r") => None,
        None => Some(CutOff::WithoutBreak),
    }
}

fn too_long(number: usize, raw: &[u8], delimiter: u8) -> Issue {
    let Some(place) = open_quote(raw, delimiter) else {
        let detail = format!("The line is longer than 64 KiB or has more than {CELLS_MAX} cells.");
        return Issue::new(number, "", "LINE_TOO_LONG", detail);
    };
    let number = number + count(&raw[..place], b'\n');
    let detail = "A quotation mark opens a cell here, and no other closes it within 64 KiB.";
    Issue::new(number, "", "UNCLOSED_QUOTE", detail)
}

/// Where the cell in quotes begins that is still open at the end of a line.
fn open_quote(raw: &[u8], delimiter: u8) -> Option<usize> {
    enum At {
        Beginning,
        Cell,
        Quotes(usize),
        /// A quotation mark in quotes: it closes, unless another follows.
        Mark(usize),
    }
    let mut at = At::Beginning;
    for (place, byte) in raw.iter().enumerate() {
        at = match (at, *byte) {
            (At::Beginning, b'"') => At::Quotes(place),
            (At::Quotes(begin), b'"') => At::Mark(begin),
            (At::Quotes(begin), _) | (At::Mark(begin), b'"') => At::Quotes(begin),
            (_, byte) if byte == delimiter || matches!(byte, b'\n' | b'\r') => At::Beginning,
            _ => At::Cell,
        };
    }
    if let At::Quotes(begin) = at { Some(begin) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number, last line, cells and end of each line.
    type Read = Vec<(usize, usize, Vec<String>, Option<CutOff>)>;

    fn read(text: &str) -> Read {
        let (mut lines, mut read) = (Lines::of(text.as_bytes(), delimiter(text.as_bytes())), Vec::new());
        while let Some(line) = lines.next() {
            let line = line.unwrap();
            let cells = line.cells().map(|cell| String::from_utf8(cell.to_vec()).unwrap()).collect();
            read.push((line.number, line.last, cells, line.cut_off));
        }
        read
    }

    fn issue(text: &str) -> (usize, String) {
        let mut lines = Lines::of(text.as_bytes(), b',');
        loop {
            if let Err(issue) = lines.next().unwrap() {
                assert!(lines.next().is_none());
                return (issue.line, issue.code);
            }
        }
    }

    #[test]
    fn lines_are_counted_through_empty_ones_and_quotes() {
        let cells = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let expected = vec![
            (1, 1, cells(&["a", "b"]), None),
            (3, 4, cells(&["1\r\n2", "c\"d"]), None),
            (6, 6, cells(&["e", ""]), Some(CutOff::WithoutBreak)),
        ];
        assert_eq!(read("a,b\r\n\r\n\"1\r\n2\",\"c\"\"d\"\r\n\r\ne,"), expected);
    }

    #[test]
    fn the_most_frequent_separator_of_the_first_line_separates() {
        for (text, expected) in [
            ("a,b;c,d\n;;;;", b','),
            ("a;b,c;d", b';'),
            ("a\tb,c\td", b'\t'),
            ("a", b','),
            ("\n\"a,b,c\";d", b';'),
        ] {
            assert_eq!(delimiter(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_file_that_ends_in_quotes_is_cut_off_there() {
        let ends = |text| read(text).pop().unwrap().3;
        assert_eq!(ends("a,b\n1,\"x\ny"), Some(CutOff::InQuotes(2)));
        assert_eq!(ends("a,b\n\"1\n2\",\"x"), Some(CutOff::InQuotes(3)));
        assert_eq!(ends("a,b\n1,\"x\"\"\"\n"), None);
        assert_eq!(ends("a,b\n1,x\"\n"), None, "a quotation mark within a cell opens nothing");
        assert_eq!(ends("a,b\n1,\"x\"y\"\n"), None);
    }

    #[test]
    fn an_overlong_line_is_named_and_ends_the_file() {
        let long = "x".repeat(LINE_BYTES_MAX + 1);
        assert_eq!(issue(&format!("a,b\n\n{long}\nc,d")), (3, "LINE_TOO_LONG".to_owned()));
        assert_eq!(issue(&format!("a,b\n1,\"{long}\"\n")), (2, "UNCLOSED_QUOTE".to_owned()));
        assert_eq!(issue(&",".repeat(CELLS_MAX + 1)), (1, "LINE_TOO_LONG".to_owned()));
    }
}
