//! Working days: Monday to Friday without the public holidays of a region; pure, no I/O.
//!
//! Promises of an edition are counted in them: the time to answer an offer or an application, and the days of sessions. A
//! region is named by ISO 3166-2, such as `DE-HE` for Hesse; the empty name is nowhere in particular, where only weekends
//! are free.
//!
//! Reading order: this file counts, `holidays` is the table, `easter` moves half of it.

mod easter;
mod holidays;

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::holidays::REGIONS;

/// The working days of a region, or of nowhere in particular.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkingDays(Option<&'static str>);

/// A region whose holidays are not known here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is {0}, whose public holidays are not known; known are {known}, and nothing for weekends only", known = known())]
pub struct UnknownRegion(String);

impl FromStr for WorkingDays {
    type Err = UnknownRegion;

    /// The working days of a region by ISO 3166-2; of nowhere in particular for an empty name.
    fn from_str(code: &str) -> Result<Self, UnknownRegion> {
        if code.is_empty() {
            return Ok(Self(None));
        }
        let region = REGIONS.into_iter().find(|region| *region == code);
        region.map(|region| Self(Some(region))).ok_or_else(|| UnknownRegion(code.to_owned()))
    }
}

impl fmt::Display for WorkingDays {
    /// The region's code, from which the same working days can be read again.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.unwrap_or_default())
    }
}

impl WorkingDays {
    /// Whether people work on this day.
    #[must_use]
    pub fn contain(self, day: Date) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        !weekend && !self.0.is_some_and(|region| holidays::is_holiday(day, region))
    }

    /// The day so many working days after another; at the end of the calendar the last day.
    #[must_use]
    pub fn after(self, day: Date, count: i32) -> Date {
        let mut last = day;
        let mut left = count;
        while left > 0 && last < Date::MAX {
            last = last.saturating_add(1.day());
            left -= i32::from(self.contain(last));
        }
        last
    }

    /// The end of the day, in this zone, so many working days after now.
    #[must_use]
    pub fn end_after(self, now: Timestamp, count: i32, zone: &TimeZone) -> Timestamp {
        let last = self.after(zone.to_datetime(now).date(), count);
        let midnight = DateTime::from(last.saturating_add(1.day()));
        // Only at the end of the calendar there is no such instant.
        zone.to_timestamp(midnight).unwrap_or(Timestamp::MAX)
    }
}

fn known() -> String {
    REGIONS.join(", ")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn of(code: &str) -> WorkingDays {
        code.parse().unwrap()
    }

    #[test]
    fn a_weekend_is_no_time_to_answer() {
        let friday = date(2013, 9, 6);
        assert_eq!(of("").after(friday, 3), date(2013, 9, 11));
        assert_eq!(of("").after(date(2013, 9, 7), 1), date(2013, 9, 9));
        assert_eq!(of("").after(friday, 0), friday);
        assert_eq!(of("").after(Date::MAX, 3), Date::MAX);
    }

    #[test]
    fn a_holiday_is_no_time_to_answer_where_it_is_one() {
        // Wednesday; the Thursday is the Day of German Unity, and the Thursday four weeks later is Reformation Day.
        let (wednesday, later) = (date(2013, 10, 2), date(2013, 10, 30));
        assert_eq!(of("").after(wednesday, 1), date(2013, 10, 3));
        assert_eq!(of("DE-HE").after(wednesday, 1), date(2013, 10, 4));
        assert_eq!(of("DE-HE").after(later, 1), date(2013, 10, 31));
        assert_eq!(of("DE-SN").after(later, 1), date(2013, 11, 1));
    }

    #[test]
    fn the_time_to_answer_ends_with_a_day_where_the_edition_is() {
        let (berlin, friday_night) = (TimeZone::get("Europe/Berlin").unwrap(), "2013-09-06T23:30:00Z");
        let end = of("DE-HE").end_after(friday_night.parse().unwrap(), 3, &berlin);
        assert_eq!(end, "2013-09-11T22:00:00Z".parse().unwrap());
    }

    #[test]
    fn christmas_and_new_year_are_long_in_bavaria() {
        // 2013: Christmas on Wednesday and Thursday, New Year on Wednesday, Epiphany on Monday.
        assert_eq!(of("DE-BY").after(date(2013, 12, 24), 1), date(2013, 12, 27));
        assert_eq!(of("DE-BY").after(date(2013, 12, 31), 3), date(2014, 1, 7));
        assert_eq!(of("DE-HE").after(date(2013, 12, 31), 3), date(2014, 1, 6));
    }

    #[test]
    fn a_region_is_read_from_what_it_is_written_as() {
        for region in REGIONS {
            assert_eq!(of(region).to_string(), region);
        }
        assert_eq!(of(""), WorkingDays::default());
        assert_eq!(WorkingDays::default().to_string(), "");
    }

    #[test]
    fn an_unknown_region_is_refused_with_those_that_are_known() {
        for unknown in ["DE", "de-he", "FR-75", "Hesse"] {
            let refused = unknown.parse::<WorkingDays>().unwrap_err();
            assert_eq!(refused, UnknownRegion(unknown.to_owned()));
            assert!(refused.to_string().contains("DE-HE"), "{refused}");
        }
    }
}
