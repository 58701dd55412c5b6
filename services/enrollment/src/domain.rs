//! The rules of this service: pure functions from a state and a command to events.
//!
//! What a rule needs to know of the world (the day, an applicant's facts, the edition's phase) comes with the command.

pub mod application;
pub mod availability;
pub mod edition;
pub mod eligibility;
pub mod hierarchy;
pub mod merge;
pub mod obligation;
pub mod participation;
pub mod person;
pub mod register;
pub mod roster;
pub mod rules;
pub mod source;
pub mod sync_run;
pub mod worker;

use std::collections::BTreeSet;

use jiff::civil::Date;

/// A day written as `2013-09-01`, and in no other of the ways ISO 8601 allows.
#[must_use]
pub fn iso_date(text: &str) -> Option<Date> {
    let digits_and_dashes = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if digits_and_dashes { text.parse().ok() } else { None }
}

/// The first entry that appears a second time.
fn first_repeated<'a>(entries: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = BTreeSet::new();
    entries.into_iter().find(|entry| !seen.insert(*entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_in_one_way_only() {
        assert_eq!(iso_date("2013-09-01"), Some(jiff::civil::date(2013, 9, 1)));
        for text in ["", "2013-02-29", "2013-9-1", "20130901", "01.09.2013", "2013-09-01T00:00", "٢٠١٣-09-01"]
        {
            assert_eq!(iso_date(text), None, "{text}");
        }
    }
}
