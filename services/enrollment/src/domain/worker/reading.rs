//! From what a source said to a record: all that is wrong with it is said at once.

use jiff::civil::Date;

use super::{Employment, FieldIssue, Unreadable, Worker};
use crate::domain::iso_date;

/// The longest text.
pub const TEXT_CHARACTERS_MAX: usize = 200;
/// The longest key.
const KEY_CHARACTERS_MAX: usize = 128;
/// The deepest path of units.
const UNITS_MAX: usize = 16;
/// Days of these years are taken; whatever is outside was never meant.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2199;

/// A worker as it was said, before it is looked at; an empty text says nothing.
#[derive(Clone, Debug, Default)]
pub struct WorkerSaid {
    /// The key in the source.
    pub external_id: String,
    /// Order.
    pub source_version: u64,
    /// Personnel number.
    pub employee_number: String,
    /// Name at the identity provider.
    pub user_name: String,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Work address.
    pub email: String,
    /// Job title.
    pub job_title: String,
    /// Units from the top down.
    pub org_unit_path: Vec<String>,
    /// The direct superior's key.
    pub manager_external_id: String,
    /// First day.
    pub hire_date: String,
    /// Date of birth.
    pub birth_date: String,
    /// Whether the worker works.
    pub employment: EmploymentSaid,
    /// First day of the leave.
    pub leave_first_day: String,
    /// Last day of the leave.
    pub leave_last_day: String,
    /// Another name that the source has for the worker.
    pub alias: String,
}

/// Whether a worker works, as it was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EmploymentSaid {
    /// Works.
    #[default]
    Active,
    /// Is on leave.
    OnLeave,
    /// Has signed and not started.
    Pending,
    /// Has left.
    Inactive,
    /// A word that is not known.
    Unknown,
}

impl WorkerSaid {
    /// Reads the record; beside it stands what looks wrong and is taken over all the same.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read(self) -> Result<(Worker, Vec<FieldIssue>), Unreadable> {
        let mut reader = Reader::default();
        let worker = self.worker(&mut reader);
        if reader.wrong.is_empty() {
            return Ok((worker, reader.noticed));
        }
        // A key that cannot be one is no key under which anything could be found.
        let key_is_sound = !reader.wrong.iter().any(|issue| issue.field == "worker.external_id");
        let external_id = if key_is_sound { worker.external_id } else { String::new() };
        Err(Unreadable { external_id, issues: reader.wrong })
    }

    fn worker(self, reader: &mut Reader) -> Worker {
        let worker = Worker {
            external_id: reader.key("worker.external_id", self.external_id),
            source_version: reader.version("worker.source_version", self.source_version),
            employee_number: given(reader.text("worker.employee_number", &self.employee_number)),
            user_name: reader.text("worker.user_name", &self.user_name),
            given_name: reader.text("worker.given_name", &self.given_name),
            family_name: reader.text("worker.family_name", &self.family_name),
            email: reader.email("worker.email", &self.email),
            job_title: reader.text("worker.job_title", &self.job_title),
            org_unit_path: reader.units("worker.org_unit_path", &self.org_unit_path),
            manager_external_id: match self.manager_external_id {
                none if none.is_empty() => None,
                key => Some(reader.key("worker.manager_external_id", key)),
            },
            hire_date: reader.date("worker.hire_date", &self.hire_date),
            birth_date: reader.date("worker.birth_date", &self.birth_date),
            employment: reader.employment(self.employment, &self.leave_first_day, &self.leave_last_day),
            alias: reader.text("alias", &self.alias),
        };
        if worker.given_name.is_empty() && worker.family_name.is_empty() {
            reader.notice("worker.family_name", "MISSING_NAME", "The worker has no name.");
        }
        if worker.email.is_empty() {
            reader.notice("worker.email", "MISSING_EMAIL", "The worker has no address to write to.");
        }
        if worker.employment == Employment::Pending && worker.hire_date.is_none() {
            let message = "The worker has no first day, and does not begin until one is said.";
            reader.notice("worker.hire_date", "MISSING_HIRE_DATE", message);
        }
        worker
    }
}

/// Reads a day that may be absent.
///
/// # Errors
/// What is wrong with it.
pub fn day(field: &str, text: &str) -> Result<Option<Date>, FieldIssue> {
    if text.is_empty() {
        return Ok(None);
    }
    match iso_date(text) {
        None => Err(FieldIssue::new(field, "INVALID_DATE", "The field is no date written as 2013-09-01.")),
        Some(date) if !YEARS.contains(&date.year()) => {
            let message = format!("The field is no date from {} to {}.", YEARS.start(), YEARS.end());
            Err(FieldIssue::new(field, "DATE_OUT_OF_RANGE", message))
        }
        some => Ok(some),
    }
}

/// Reads a key of the source.
///
/// # Errors
/// What is wrong with it.
pub fn key(field: &str, text: &str) -> Result<(), FieldIssue> {
    let refused = |reason, message: &str| Err(FieldIssue::new(field, reason, message));
    if text.is_empty() {
        return refused("MISSING_VALUE", "The field is empty.");
    }
    if text.chars().count() > KEY_CHARACTERS_MAX {
        return refused("TOO_LONG", "The field has more than 128 characters.");
    }
    if text.chars().any(char::is_control) {
        return refused("CONTROL_CHARACTER", "The field holds a control character.");
    }
    Ok(())
}

/// Reads a place in the order of the source.
///
/// # Errors
/// If it is greater than 2^63 - 1.
pub fn version(field: &str, number: u64) -> Result<i64, FieldIssue> {
    let message = "The field is greater than 9223372036854775807.";
    i64::try_from(number).map_err(|_| FieldIssue::new(field, "VERSION_OUT_OF_RANGE", message))
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// Whether a character is seen by nobody and says nothing: zero-width space, byte order mark, controls of direction. The joiners
/// of Persian and Indian names are none of these.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}')
}

fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let local_is_sound =
        is_quoted || !local.is_empty() && !local.contains(|c: char| c == '@' || c.is_whitespace());
    local_is_sound && !domain.is_empty() && !domain.contains(char::is_whitespace)
}

/// Collects what is wrong and what only looks so.
#[derive(Default)]
struct Reader {
    wrong: Vec<FieldIssue>,
    noticed: Vec<FieldIssue>,
}

impl Reader {
    fn notice(&mut self, field: &str, reason: &'static str, message: &str) {
        self.noticed.push(FieldIssue::new(field, reason, message));
    }

    fn refuse(&mut self, field: &str, reason: &'static str, message: &str) {
        self.wrong.push(FieldIssue::new(field, reason, message));
    }

    /// The value, or what is wrong and a default that goes nowhere, as the record is refused.
    fn take<T: Default>(&mut self, read: Result<T, FieldIssue>) -> T {
        read.unwrap_or_else(|issue| {
            self.wrong.push(issue);
            T::default()
        })
    }

    fn key(&mut self, field: &str, text: String) -> String {
        self.take(key(field, &text));
        text
    }

    fn version(&mut self, field: &str, number: u64) -> i64 {
        self.take(version(field, number))
    }

    fn date(&mut self, field: &str, text: &str) -> Option<Date> {
        self.take(day(field, text))
    }

    fn text(&mut self, field: &str, text: &str) -> String {
        if text.contains(|c: char| c.is_control()) {
            self.refuse(field, "CONTROL_CHARACTER", "The field holds a control character.");
            return String::new();
        }
        let clean = if text.contains(is_invisible) {
            self.notice(field, "INVISIBLE_CHARACTER", "Characters that nobody sees were removed.");
            text.replace(is_invisible, "").trim().to_owned()
        } else {
            text.trim().to_owned()
        };
        if clean.chars().count() > TEXT_CHARACTERS_MAX {
            self.refuse(field, "TOO_LONG", "The field has more than 200 characters.");
            return String::new();
        }
        clean
    }

    fn email(&mut self, field: &str, text: &str) -> String {
        let text = self.text(field, text);
        if !text.is_empty() && !is_address(&text) {
            self.refuse(field, "NOT_AN_ADDRESS", "The field is no mail address.");
        }
        text
    }

    fn units(&mut self, field: &str, path: &[String]) -> Vec<String> {
        if path.len() > UNITS_MAX {
            self.refuse(field, "TOO_DEEP", "The path has more than 16 units.");
            return Vec::new();
        }
        path.iter().map(|unit| self.text(field, unit)).collect()
    }

    fn employment(&mut self, said: EmploymentSaid, first_day: &str, last_day: &str) -> Employment {
        let first = self.date("worker.leave_first_day", first_day);
        let last = self.date("worker.leave_last_day", last_day);
        if said != EmploymentSaid::OnLeave && !(first_day.is_empty() && last_day.is_empty()) {
            let field = if first_day.is_empty() { "worker.leave_last_day" } else { "worker.leave_first_day" };
            self.refuse(field, "NOT_ON_LEAVE", "Only who is on leave has days of leave.");
        }
        if first.zip(last).is_some_and(|(first, last)| last < first) {
            self.refuse("worker.leave_last_day", "LEAVE_ENDS_FIRST", "The leave ends before it begins.");
        }
        match said {
            EmploymentSaid::Active => Employment::Active,
            EmploymentSaid::OnLeave => Employment::OnLeave { first_day: first, last_day: last },
            EmploymentSaid::Pending => Employment::Pending,
            EmploymentSaid::Inactive => Employment::Inactive,
            EmploymentSaid::Unknown => {
                let message = "The field is no status that is known.";
                self.refuse("worker.employment_status", "UNKNOWN_STATUS", message);
                Employment::Active
            }
        }
    }
}

#[cfg(test)]
mod tests;
