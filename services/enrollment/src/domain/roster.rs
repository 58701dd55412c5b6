//! A roster as an HR system exports it: CSV in, people or everything that is wrong with it out.

use std::collections::HashMap;

use csv::ByteRecord;
use jiff::civil::Date;

use crate::domain::iso_date;

/// The largest file that is looked into: 64 MiB.
pub const FILE_BYTES_MAX: usize = 64 << 20;
/// The longest line: 64 KiB.
pub const LINE_BYTES_MAX: usize = 64 << 10;
/// The longest cell.
pub const CELL_CHARACTERS_MAX: usize = 200;
/// So many issues are listed; who has more has the wrong file.
pub const ISSUES_MAX: usize = 1000;

/// One person of the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The line in the file, from 1.
    pub line: usize,
    /// The key in the HR system.
    pub employee_number: String,
    /// The direct superior's key; none at the top.
    pub manager_employee_number: Option<String>,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Work address.
    pub email: String,
    /// Job title.
    pub job_title: String,
    /// Department.
    pub department: String,
    /// The first day with the company.
    pub hire_date: Date,
    /// Date of birth.
    pub birth_date: Option<Date>,
}

/// One thing wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The line in the file, from 1.
    pub line: usize,
    /// The column by its header; empty when the whole line is meant.
    pub column: String,
    /// Machine code.
    pub code: &'static str,
    /// One sentence; never a cell's content but an employee number.
    pub detail: String,
}

impl Issue {
    /// An issue at a place of the file.
    #[must_use]
    pub fn new(
        line: usize,
        column: impl Into<String>,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self { line, column: column.into(), code, detail: detail.into() }
    }

    /// What is wrong and where, in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let Self { line, column, detail, .. } = self;
        let place = if column.is_empty() { String::new() } else { format!(", column {column}") };
        format!("In line {line}{place}: {detail}")
    }
}

/// A column that is read; others are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The key in the HR system.
    EmployeeNumber,
    /// The direct superior's key.
    ManagerEmployeeNumber,
    /// Given name.
    GivenName,
    /// Family name.
    FamilyName,
    /// Work address.
    Email,
    /// Job title.
    JobTitle,
    /// Department.
    Department,
    /// The first day with the company.
    HireDate,
    /// Date of birth.
    BirthDate,
}

impl Column {
    const ALL: [Self; 9] = [
        Self::EmployeeNumber,
        Self::ManagerEmployeeNumber,
        Self::GivenName,
        Self::FamilyName,
        Self::Email,
        Self::JobTitle,
        Self::Department,
        Self::HireDate,
        Self::BirthDate,
    ];

    /// The column's header.
    #[must_use]
    pub const fn header(self) -> &'static str {
        match self {
            Self::EmployeeNumber => "employee_number",
            Self::ManagerEmployeeNumber => "manager_employee_number",
            Self::GivenName => "given_name",
            Self::FamilyName => "family_name",
            Self::Email => "email",
            Self::JobTitle => "job_title",
            Self::Department => "department",
            Self::HireDate => "hire_date",
            Self::BirthDate => "birth_date",
        }
    }
}

/// Reads a roster.
///
/// # Errors
/// Everything that is wrong with it, up to [`ISSUES_MAX`]; never an empty list.
pub fn parse(file: &[u8]) -> Result<Vec<Record>, Vec<Issue>> {
    check_size(file)?;
    let text = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file);
    let mut lines = Lines::of(text);
    let Some((header_line, header)) = lines.next() else {
        return Err(vec![Issue::new(1, "", "EMPTY_FILE", "The file is empty.")]);
    };
    let layout = Layout::of(header_line, &header)?;

    let mut issues = Vec::new();
    let mut records = Vec::new();
    let mut line_of: HashMap<String, usize> = HashMap::new();
    for (line, cells) in lines {
        if issues.len() >= ISSUES_MAX {
            break;
        }
        let row = Row { line, cells: &cells, layout: &layout, issues: &mut issues };
        let Ok(record) = row.read() else { continue };
        if let Some(first) = line_of.insert(record.employee_number.clone(), line) {
            issues.push(duplicate(&record, first));
        }
        records.push(record);
    }
    if records.is_empty() && issues.is_empty() {
        issues.push(Issue::new(header_line, "", "EMPTY_FILE", "The file has a header and nobody below it."));
    }
    issues.truncate(ISSUES_MAX);
    if issues.is_empty() { Ok(records) } else { Err(issues) }
}

fn duplicate(record: &Record, first: usize) -> Issue {
    let detail = format!(
        "The employee number {} of line {} stands in line {first} already.",
        record.employee_number, record.line
    );
    Issue::new(record.line, Column::EmployeeNumber.header(), "DUPLICATE_KEY", detail)
}

fn check_size(file: &[u8]) -> Result<(), Vec<Issue>> {
    if file.len() > FILE_BYTES_MAX {
        return Err(vec![Issue::new(1, "", "FILE_TOO_LARGE", "The file is larger than 64 MiB.")]);
    }
    let overlong = |(index, line): (usize, &[u8])| {
        (line.len() > LINE_BYTES_MAX)
            .then(|| Issue::new(index + 1, "", "LINE_TOO_LONG", "The line is longer than 64 KiB."))
    };
    let issues: Vec<_> =
        file.split(|byte| *byte == b'\n').enumerate().filter_map(overlong).take(ISSUES_MAX).collect();
    if issues.is_empty() { Ok(()) } else { Err(issues) }
}

/// The records of a file, each with the line it starts in.
struct Lines<'a> {
    text: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
    line: usize,
    counted_to: usize,
}

impl<'a> Lines<'a> {
    /// The delimiter is the more frequent one of the first line.
    fn of(text: &'a [u8]) -> Self {
        let header = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let delimiter = if count(header, b';') > count(header, b',') { b';' } else { b',' };
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(text);
        Self { text, reader, line: 1, counted_to: 0 }
    }

    /// The line in which a record starts: the reader stands before the empty lines that it passes over.
    fn line_at(&mut self, byte: usize) -> usize {
        let rest = self.text.get(byte..).unwrap_or_default();
        let breaks = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        let start = byte + breaks;
        self.line += count(&self.text[self.counted_to..start], b'\n');
        self.counted_to = start;
        self.line
    }
}

fn count(bytes: &[u8], wanted: u8) -> usize {
    bytes.split(|byte| *byte == wanted).count() - 1
}

impl Iterator for Lines<'_> {
    type Item = (usize, ByteRecord);

    fn next(&mut self) -> Option<Self::Item> {
        let mut cells = ByteRecord::new();
        // Reading bytes from memory into records of any length has no way to fail.
        if !self.reader.read_byte_record(&mut cells).unwrap_or(false) {
            return None;
        }
        let byte = cells.position().map_or(0, csv::Position::byte);
        let line = self.line_at(usize::try_from(byte).unwrap_or(usize::MAX));
        Some((line, cells))
    }
}

/// Where each column stands in a line.
struct Layout {
    places: [Option<usize>; Column::ALL.len()],
    width: usize,
}

impl Layout {
    fn of(line: usize, header: &ByteRecord) -> Result<Self, Vec<Issue>> {
        let mut issues = Vec::new();
        let mut places = [None; Column::ALL.len()];
        for (place, column) in places.iter_mut().zip(Column::ALL) {
            let name = column.header();
            let mut found = (0..header.len()).filter(|index| header[*index].trim_ascii() == name.as_bytes());
            *place = found.next();
            if place.is_none() && column != Column::BirthDate {
                let detail = format!("The header has no column {name}.");
                issues.push(Issue::new(line, name, "MISSING_COLUMN", detail));
            }
            if found.next().is_some() {
                let detail = format!("The header has the column {name} more than once.");
                issues.push(Issue::new(line, name, "DUPLICATE_COLUMN", detail));
            }
        }
        if issues.is_empty() { Ok(Self { places, width: header.len() }) } else { Err(issues) }
    }
}

/// Something is wrong with a cell, and the issues say what.
struct Reported;

/// One line on its way to a record.
struct Row<'a> {
    line: usize,
    cells: &'a ByteRecord,
    layout: &'a Layout,
    issues: &'a mut Vec<Issue>,
}

impl Row<'_> {
    fn read(mut self) -> Result<Record, Reported> {
        let (cells, columns) = (self.cells.len(), self.layout.width);
        if cells != columns {
            let detail = format!("The line has {cells} cells; the header has {columns}.");
            self.issues.push(Issue::new(self.line, "", "CELL_COUNT", detail));
            return Err(Reported);
        }
        // Every cell is read before the line is given up: all that is wrong with it is said at once.
        let employee_number = self.required(Column::EmployeeNumber);
        let manager_employee_number = self.optional(Column::ManagerEmployeeNumber);
        let given_name = self.required(Column::GivenName);
        let family_name = self.required(Column::FamilyName);
        let email = self.email();
        let job_title = self.required(Column::JobTitle);
        let department = self.required(Column::Department);
        let hire_date = self.required(Column::HireDate).and_then(|text| self.date(Column::HireDate, &text));
        let birth_date = self.birth_date();
        Ok(Record {
            line: self.line,
            employee_number: employee_number?,
            manager_employee_number: manager_employee_number?,
            given_name: given_name?,
            family_name: family_name?,
            email: email?,
            job_title: job_title?,
            department: department?,
            hire_date: hire_date?,
            birth_date: birth_date?,
        })
    }

    fn optional(&mut self, column: Column) -> Result<Option<String>, Reported> {
        let cell = self.layout.places[column as usize].map_or(&[][..], |place| &self.cells[place]);
        let Ok(text) = str::from_utf8(cell) else {
            return Err(self.report(column, "NOT_UTF8", "The cell is not UTF-8; save the file as UTF-8."));
        };
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err(self.report(column, "CONTROL_CHARACTER", "The cell holds a control character."));
        }
        if text.chars().count() > CELL_CHARACTERS_MAX {
            return Err(self.report(column, "CELL_TOO_LONG", "The cell has more than 200 characters."));
        }
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    fn required(&mut self, column: Column) -> Result<String, Reported> {
        match self.optional(column)? {
            Some(text) => Ok(text),
            None => Err(self.report(column, "MISSING_VALUE", "The cell is empty.")),
        }
    }

    fn email(&mut self) -> Result<String, Reported> {
        let text = self.required(Column::Email)?;
        let looks_right = text
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
        if !looks_right || text.contains(char::is_whitespace) {
            return Err(self.report(Column::Email, "NOT_AN_ADDRESS", "The cell is no mail address."));
        }
        Ok(text)
    }

    fn birth_date(&mut self) -> Result<Option<Date>, Reported> {
        match self.optional(Column::BirthDate)? {
            Some(text) => self.date(Column::BirthDate, &text).map(Some),
            None => Ok(None),
        }
    }

    fn date(&mut self, column: Column, text: &str) -> Result<Date, Reported> {
        iso_date(text)
            .ok_or_else(|| self.report(column, "INVALID_DATE", "The cell is no date written as 2013-09-01."))
    }

    fn report(&mut self, column: Column, code: &'static str, detail: &str) -> Reported {
        self.issues.push(Issue::new(self.line, column.header(), code, detail));
        Reported
    }
}

#[cfg(test)]
pub(crate) mod tests;
