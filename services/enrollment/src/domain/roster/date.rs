//! Days as HR systems write them.

use jiff::civil::Date;

use crate::domain::iso_date;

/// Why a text is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoDay {
    /// It could be two of them.
    Ambiguous,
    /// It is none.
    Malformed,
}

/// A day written as `2013-09-01`, or as `01.09.2013`: with dots, the day always comes first.
pub(super) fn day(text: &str) -> Result<Date, NoDay> {
    if let Some(date) = iso_date(text) {
        return Ok(date);
    }
    let parts: Vec<&str> = text.split(['.', '/', '-', ' ']).collect();
    let are_digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let [first, second, year] = parts.as_slice() else { return Err(NoDay::Malformed) };
    if !parts.iter().all(are_digits) || first.len() > 2 || second.len() > 2 || !matches!(year.len(), 2 | 4) {
        return Err(NoDay::Malformed);
    }
    if year.len() == 2 || text.contains(['/', '-', ' ']) {
        return Err(NoDay::Ambiguous);
    }
    let date = (|| Date::new(year.parse().ok()?, second.parse().ok()?, first.parse().ok()?).ok())();
    date.ok_or(NoDay::Malformed)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn iso_and_german_days_are_read() {
        for text in ["2013-09-01", "01.09.2013", "1.9.2013"] {
            assert_eq!(day(text), Ok(date(2013, 9, 1)), "{text}");
        }
        assert_eq!(day("31.12.1961"), Ok(date(1961, 12, 31)));
    }

    #[test]
    fn what_could_be_two_days_is_not_guessed() {
        for text in ["01/09/2013", "31/12/2013", "01.09.13", "01-09-2013", "1 9 2013"] {
            assert_eq!(day(text), Err(NoDay::Ambiguous), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_is_none() {
        for text in [
            "",
            "29.02.2013",
            "32.01.2013",
            "1.13.2013",
            "2013",
            "41518",
            "1.9.2013.",
            "September 2013",
            "0.9.2013",
        ] {
            assert_eq!(day(text), Err(NoDay::Malformed), "{text}");
        }
    }
}
