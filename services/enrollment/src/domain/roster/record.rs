//! A line of a file as a record of the directory.

use super::column::Column;
use super::date::{NoDay, day};
use super::lines::{Line, Lines};
use super::survey::Survey;
use crate::domain::worker::{Change, FieldIssue, Record, Unreadable, WorkerSaid, key};

/// One line, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The line in the file, from 1.
    pub line: usize,
    /// The employee number; empty if it cannot be read.
    pub key: String,
    /// What it says, or all that is wrong with it.
    pub record: Record,
}

/// The lines of a file that was looked through, one after the other.
pub struct Records<'a> {
    survey: &'a Survey,
    lines: Lines<'a>,
    source_version: u64,
}

impl Survey {
    /// Reads the lines of the file that was looked through, as of a version of its source.
    #[must_use]
    pub fn records<'a>(&'a self, file: &'a [u8], source_version: u64) -> Records<'a> {
        let text = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file);
        // The delimiters that are recognised are single bytes.
        let delimiter = u8::try_from(self.delimiter).unwrap_or(b',');
        let mut lines = Lines::of(text, delimiter);
        lines.next();
        Records { survey: self, lines, source_version }
    }
}

impl Iterator for Records<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            // A line that is too long was the end of the survey.
            let line = self.lines.next()?.ok()?;
            if !line.is_empty() {
                return Some(
                    Row { line: &line, survey: self.survey, wrong: Vec::new() }.read(self.source_version),
                );
            }
        }
    }
}

/// The column that a field of a record comes from.
pub(super) fn column_of(field: &str) -> Option<Column> {
    // The number of a person is also the key of the record.
    let field = if field == "worker.external_id" { "worker.employee_number" } else { field };
    Column::ALL.into_iter().find(|column| field_of(*column) == field)
}

/// The field of a record that a column goes into.
const fn field_of(column: Column) -> &'static str {
    match column {
        Column::EmployeeNumber => "worker.employee_number",
        Column::ManagerEmployeeNumber => "worker.manager_external_id",
        Column::GivenName => "worker.given_name",
        Column::FamilyName => "worker.family_name",
        Column::Email => "worker.email",
        Column::JobTitle => "worker.job_title",
        Column::Department => "worker.org_unit_path",
        Column::HireDate => "worker.hire_date",
        Column::BirthDate => "worker.birth_date",
    }
}

/// One line on its way to a record.
struct Row<'a> {
    line: &'a Line<'a>,
    survey: &'a Survey,
    wrong: Vec<FieldIssue>,
}

impl Row<'_> {
    fn read(mut self, source_version: u64) -> Entry {
        let line = self.line.number;
        if self.line.len() != self.survey.layout.width() {
            let record = Err(Unreadable { external_id: String::new(), issues: vec![self.cell_count()] });
            return Entry { line, key: String::new(), record };
        }
        let said = self.said(source_version);
        let key = if key("", &said.external_id).is_ok() { said.external_id.clone() } else { String::new() };
        if let Some(lines) = self.survey.lines_of(&key) {
            let detail =
                format!("The employee number {key} stands in the lines {lines}; none of them is taken over.");
            self.report(Column::EmployeeNumber, "DUPLICATE_KEY", detail);
        }
        // Every cell is read before the line is given up: all that is wrong with it is said at once.
        let record = match said.read() {
            Ok((worker, noticed)) if self.wrong.is_empty() => {
                Ok(Change::Upsert { worker, effective_date: None, noticed })
            }
            Ok(_) => Err(Unreadable { external_id: key.clone(), issues: self.wrong }),
            Err(unreadable) => {
                // A cell that is empty or no text was reported already.
                let known: Vec<String> = self.wrong.iter().map(|issue| issue.field.clone()).collect();
                let new =
                    unreadable.issues.into_iter().filter(|issue| !known.contains(&own_field(&issue.field)));
                self.wrong.extend(new);
                Err(Unreadable { external_id: key.clone(), issues: self.wrong })
            }
        };
        Entry { line, key, record }
    }

    fn said(&mut self, source_version: u64) -> WorkerSaid {
        let employee_number = self.required(Column::EmployeeNumber);
        WorkerSaid {
            external_id: employee_number.clone(),
            source_version,
            employee_number,
            given_name: self.required(Column::GivenName),
            family_name: self.required(Column::FamilyName),
            email: self.required(Column::Email),
            job_title: self.required(Column::JobTitle),
            org_unit_path: vec![self.required(Column::Department)],
            manager_external_id: self.text(Column::ManagerEmployeeNumber).unwrap_or_default(),
            hire_date: self.required_day(),
            birth_date: self.day(Column::BirthDate).unwrap_or_default(),
            ..WorkerSaid::default()
        }
    }

    fn cell_count(&self) -> FieldIssue {
        let (cells, columns) = (self.line.len(), self.survey.layout.width());
        let counted = format!("The line has {cells} cells; the header has {columns}.");
        let detail = if self.line.last > self.line.number {
            format!("{counted} It goes on to line {}, as a cell in quotes does.", self.line.last)
        } else {
            counted
        };
        FieldIssue::new("", "CELL_COUNT", detail)
    }

    /// A cell without the blanks around it; none if it is no text, which is reported.
    fn text(&mut self, column: Column) -> Option<String> {
        let cell = self.survey.layout.place(column).map_or(&[][..], |place| self.line.cell(place));
        let text = self.survey.encoding.decode(cell).map(|text| text.trim().to_owned());
        if text.is_none() {
            self.report(column, "NOT_UTF8", "The cell is not UTF-8, as the rest of the file is.");
        }
        text
    }

    fn required(&mut self, column: Column) -> String {
        let text = self.text(column);
        if text.as_ref().is_some_and(String::is_empty) {
            self.report(column, "MISSING_VALUE", "The cell is empty.");
        }
        text.unwrap_or_default()
    }

    fn required_day(&mut self) -> String {
        let day = self.day(Column::HireDate);
        if day.as_ref().is_some_and(String::is_empty) {
            self.report(Column::HireDate, "MISSING_VALUE", "The cell is empty.");
        }
        day.unwrap_or_default()
    }

    /// A day as the directory writes it; empty if there is none, absent if it is wrong, which is reported.
    fn day(&mut self, column: Column) -> Option<String> {
        let text = self.text(column)?;
        if text.is_empty() {
            return Some(text);
        }
        match day(&text) {
            Ok(day) => Some(day.to_string()),
            Err(NoDay::Ambiguous) => {
                let detail = "The cell could be read as several days; write 2013-09-01 or 01.09.2013.";
                self.report(column, "AMBIGUOUS_DATE", detail);
                None
            }
            Err(NoDay::Malformed) => {
                let detail = "The cell is no date written as 2013-09-01 or 01.09.2013.";
                self.report(column, "INVALID_DATE", detail);
                None
            }
        }
    }

    fn report(&mut self, column: Column, reason: &'static str, message: impl Into<String>) {
        self.wrong.push(FieldIssue::new(field_of(column), reason, message));
    }
}

/// The field by which a line reports what is wrong with its key.
fn own_field(field: &str) -> String {
    column_of(field).map_or_else(|| field.to_owned(), |column| field_of(column).to_owned())
}
