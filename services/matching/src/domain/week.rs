//! When two people can meet: their weeks on one time line, and what these have in common.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// A stretch of a weekday in a person's own zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The day by ISO 8601: 1 is Monday, 7 Sunday.
    pub weekday: i32,
    /// Minutes after midnight, 0 to 1439.
    pub start_minute: i32,
    /// Minutes after midnight, after the start, at most 1440.
    pub end_minute: i32,
}

/// A stretch of time, in minutes since 1970 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first minute.
    pub start: i64,
    /// The minute after the last.
    pub end: i64,
}

/// What two people's spans have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Common {
    /// The longest stretch without a break, minutes.
    pub longest: i64,
    /// All of it, minutes.
    pub total: i64,
}

/// A person's windows in the first full week of each month of an edition, sorted and merged.
///
/// Zones do not change their clocks on the same days, so one week could not speak for the whole edition.
#[must_use]
pub fn sampled(windows: &[Window], zone: &TimeZone, start_date: Date, months: i32) -> Vec<Span> {
    let mut spans: Vec<Span> = (0..months)
        .map(|month| first_monday(start_date.saturating_add(month.months())))
        .flat_map(|monday| windows.iter().filter_map(move |window| span(window, zone, monday)))
        .filter(|span| span.start < span.end)
        .collect();
    spans.sort_unstable();
    spans.dedup_by(|next, last| {
        let touches = next.start <= last.end;
        if touches {
            last.end = last.end.max(next.end);
        }
        touches
    });
    spans
}

/// What two lists of sorted, disjoint spans have in common.
#[must_use]
pub fn common(one: &[Span], other: &[Span]) -> Common {
    let mut found = Common::default();
    let (mut ones, mut others) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(a), Some(b)) = (ones.peek(), others.peek()) {
        let length = (a.end.min(b.end) - a.start.max(b.start)).max(0);
        found.longest = found.longest.max(length);
        found.total += length;
        if a.end <= b.end {
            ones.next();
        } else {
            others.next();
        }
    }
    found
}

fn first_monday(day: Date) -> Date {
    let days_since_monday = day.weekday().to_monday_zero_offset();
    day.saturating_add(((7 - days_since_monday) % 7).days())
}

/// None at the end of the calendar.
fn span(window: &Window, zone: &TimeZone, monday: Date) -> Option<Span> {
    let midnight = DateTime::from(monday.saturating_add((window.weekday - 1).days()));
    let minute = |after_midnight: i32| {
        let instant = zone.to_timestamp(midnight.saturating_add(after_midnight.minutes())).ok()?;
        Some(instant.as_second().div_euclid(60))
    };
    Some(Span { start: minute(window.start_minute)?, end: minute(window.end_minute)? })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn window(weekday: i32, start_hour: i32, end_hour: i32) -> Window {
        Window { weekday, start_minute: start_hour * 60, end_minute: end_hour * 60 }
    }

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn overlap(one: &[Window], other: (&[Window], &TimeZone), months: i32) -> Common {
        let start = date(2013, 10, 1);
        let own = sampled(one, &berlin(), start, months);
        common(&own, &sampled(other.0, other.1, start, months))
    }

    #[test]
    fn the_same_hour_of_two_zones_is_another_time() {
        let nine_to_eleven = [window(2, 9, 11)];
        assert_eq!(overlap(&nine_to_eleven, (&nine_to_eleven, &berlin()), 1).longest, 120);
        let lisbon = TimeZone::get("Europe/Lisbon").unwrap();
        assert_eq!(overlap(&nine_to_eleven, (&nine_to_eleven, &lisbon), 1).longest, 60);
        let kolkata = TimeZone::get("Asia/Kolkata").unwrap();
        assert_eq!(overlap(&nine_to_eleven, (&nine_to_eleven, &kolkata), 1), Common::default());
    }

    #[test]
    fn clocks_that_change_in_one_zone_only_are_seen() {
        // 9 o'clock in Berlin is 12:30 in Kolkata while there is summer time, and 13:30 afterwards.
        let kolkata = TimeZone::get("Asia/Kolkata").unwrap();
        let lunch = [Window { weekday: 2, start_minute: 13 * 60 + 30, end_minute: 14 * 60 + 30 }];
        assert_eq!(overlap(&[window(2, 9, 10)], (&lunch, &kolkata), 1).longest, 0);
        assert_eq!(overlap(&[window(2, 9, 10)], (&lunch, &kolkata), 2).longest, 60);
    }

    #[test]
    fn windows_that_touch_are_one() {
        let halves = [window(3, 10, 11), window(3, 9, 10), window(3, 14, 24), window(4, 0, 1)];
        let merged = sampled(&halves, &berlin(), date(2013, 10, 7), 1);
        assert_eq!(merged.iter().map(|span| span.end - span.start).collect::<Vec<_>>(), [120, 660]);
        let all = overlap(&halves, (&[window(3, 9, 11), window(4, 0, 24)], &berlin()), 3);
        assert_eq!(all, Common { longest: 120, total: 3 * 180 });
    }

    #[test]
    fn a_window_without_a_length_is_none() {
        assert_eq!(sampled(&[window(1, 9, 9), window(1, 10, 9)], &berlin(), date(2013, 10, 1), 6), []);
    }
}
