//! The columns of a roster, found by their headers in English or German.

use super::Issue;
use super::encoding::Encoding;
use super::lines::Line;

/// A header is repeated in an answer up to here.
const HEADER_CHARACTERS_MAX: usize = 60;

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
    /// All of them, as they are numbered.
    pub const ALL: [Self; 9] = [
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

    /// The column's header in English and in German.
    #[must_use]
    pub const fn headers(self) -> (&'static str, &'static str) {
        match self {
            Self::EmployeeNumber => ("employee_number", "Personalnummer"),
            Self::ManagerEmployeeNumber => ("manager_employee_number", "Vorgesetzter"),
            Self::GivenName => ("given_name", "Vorname"),
            Self::FamilyName => ("family_name", "Nachname"),
            Self::Email => ("email", "E-Mail"),
            Self::JobTitle => ("job_title", "Stelle"),
            Self::Department => ("department", "Abteilung"),
            Self::HireDate => ("hire_date", "Eintrittsdatum"),
            Self::BirthDate => ("birth_date", "Geburtsdatum"),
        }
    }

    /// Every header of the column, as [`essence`] leaves it. Only names that cannot mean anything else: what else an export calls
    /// a title or a name would be read as the wrong thing.
    const fn essences(self) -> &'static [&'static str] {
        match self {
            Self::EmployeeNumber => {
                &["employeenumber", "employeeid", "personnelnumber", "personalnummer", "persnr"]
            }
            Self::ManagerEmployeeNumber => &[
                "manageremployeenumber",
                "manageremployeeid",
                "manager",
                "vorgesetzter",
                "vorgesetzte",
                "vorgesetztenpersonalnummer",
                "personalnummervorgesetzter",
                "personalnummerdesvorgesetzten",
            ],
            Self::GivenName => &["givenname", "firstname", "vorname"],
            Self::FamilyName => &["familyname", "lastname", "surname", "nachname", "familienname"],
            Self::Email => &["email", "emailaddress", "emailadresse"],
            Self::JobTitle => &["jobtitle", "position", "stelle", "stellenbezeichnung"],
            Self::Department => &["department", "abteilung"],
            Self::HireDate => &["hiredate", "eintrittsdatum", "eintritt"],
            Self::BirthDate => &["birthdate", "dateofbirth", "geburtsdatum"],
        }
    }
}

/// What of a header counts: its letters and digits, in lower case.
fn essence(header: &str) -> String {
    header.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Where each column stands in a line.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    places: [Option<usize>; Column::ALL.len()],
    /// The headers as the file writes them.
    headers: Vec<String>,
}

impl Layout {
    /// # Errors
    /// Every column that is missing or there twice.
    pub(super) fn of(line: &Line<'_>, encoding: Encoding) -> Result<Self, Vec<Issue>> {
        let header = |cell| encoding.decode(cell).map(|text| shortened(&text)).unwrap_or_default();
        let headers: Vec<String> = line.cells().map(header).collect();
        let essences: Vec<String> = headers.iter().map(|header| essence(header)).collect();
        let (mut places, mut issues) = ([None; Column::ALL.len()], Vec::new());
        for (place, column) in places.iter_mut().zip(Column::ALL) {
            let is_meant = |index: &usize| column.essences().contains(&essences[*index].as_str());
            let found: Vec<usize> = (0..headers.len()).filter(is_meant).collect();
            *place = found.first().copied();
            match found.as_slice() {
                [] if column != Column::BirthDate => issues.push(missing(line.number, column)),
                [] | [_] => {}
                [first, second, ..] => {
                    issues.push(twice(line.number, column, &headers[*first], &headers[*second]));
                }
            }
        }
        if issues.is_empty() { Ok(Self { places, headers }) } else { Err(issues) }
    }

    /// How many cells a line has.
    pub(super) fn width(&self) -> usize {
        self.headers.len()
    }

    /// Where a column stands.
    pub(super) fn place(&self, column: Column) -> Option<usize> {
        self.places[column as usize]
    }

    /// The header of a column as the file writes it.
    pub(super) fn header(&self, column: Column) -> &str {
        self.place(column).map_or(column.headers().0, |place| self.header_at(place))
    }

    /// The header over a cell.
    pub(super) fn header_at(&self, place: usize) -> &str {
        self.headers.get(place).map_or("", String::as_str)
    }
}

fn shortened(header: &str) -> String {
    header.trim().chars().filter(|letter| !letter.is_control()).take(HEADER_CHARACTERS_MAX).collect()
}

fn missing(line: usize, column: Column) -> Issue {
    let (english, german) = column.headers();
    let detail = format!("The header has no column {english} (in German: {german}).");
    Issue::new(line, english, "MISSING_COLUMN", detail)
}

fn twice(line: usize, column: Column, first: &str, second: &str) -> Issue {
    let detail = if first == second {
        format!("The header has the column {first} more than once.")
    } else {
        format!("The columns {first} and {second} both stand for {}; leave one of them.", column.headers().0)
    };
    Issue::new(line, second, "DUPLICATE_COLUMN", detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::roster::lines::Lines;

    fn layout(header: &str) -> Result<Layout, Vec<(String, String)>> {
        let mut lines = Lines::of(header.as_bytes(), b';');
        let line = lines.next().unwrap().unwrap();
        let coded = |issue: Issue| (issue.column, issue.code);
        Layout::of(&line, Encoding::Utf8).map_err(|issues| issues.into_iter().map(coded).collect())
    }

    #[test]
    fn english_and_german_headers_are_read_however_they_are_spaced() {
        let headers = [
            "employee_number;manager_employee_number;given_name;family_name;email;job_title;department;hire_date;birth_date",
            "Personalnummer;Vorgesetzte/r;Vorname;Nachname;E-Mail;Stelle;Abteilung;Eintrittsdatum;Geburtsdatum",
            "PERSONAL-NUMMER; Vorgesetzter ;vorname;NACHNAME;E-Mail-Adresse;Position;abteilung;Eintritts_Datum;Geburts Datum",
            "Employee ID;Manager;First name;Last name;E-mail;Job title;Department;Hire date;Date of birth",
        ];
        for header in headers {
            let layout = layout(header).unwrap();
            let places = Column::ALL.map(|column| layout.place(column).unwrap());
            assert_eq!(places, [0, 1, 2, 3, 4, 5, 6, 7, 8], "{header}");
        }
        assert_eq!(layout(headers[1]).unwrap().header(Column::ManagerEmployeeNumber), "Vorgesetzte/r");
    }

    #[test]
    fn two_headers_of_one_meaning_are_named() {
        let header =
            "Personalnummer;Vorgesetzter;Vorname;Nachname;E-Mail;Stelle;Position;Abteilung;Eintrittsdatum";
        assert_eq!(layout(header).unwrap_err(), [("Position".to_owned(), "DUPLICATE_COLUMN".to_owned())]);
    }

    #[test]
    fn every_missing_column_is_named_but_the_birth_date() {
        let missing = layout("Personalnummer;Vorgesetzter;Vorname;Nachname").unwrap_err();
        let columns: Vec<_> = missing.iter().map(|(column, _)| column.as_str()).collect();
        assert_eq!(columns, ["email", "job_title", "department", "hire_date"]);
    }
}
