//! The table of public holidays: what is free by law in the whole of a state, from 1995 on.
//!
//! Days that are free only in some communities of a state (Assumption in Catholic parts of Bavaria, Corpus Christi in parts of
//! Saxony and Thuringia, the Peace Festival of Augsburg) are working days here, as a region is a whole state. Holidays that
//! always fall on a Sunday are left out.
//!
//! # Source
//! Germany: article 2 of the Unification Treaty for 3 October; else the states' acts on Sundays and public holidays
//! (*Feiertagsgesetze*), among them those that added 31 October (everywhere in 2017; Bremen, Hamburg, Lower Saxony and
//! Schleswig-Holstein from 2018), 8 March (Berlin 2019, Mecklenburg-Vorpommern 2023), 20 September (Thuringia 2019) and single
//! days of remembrance in Berlin. Austria: *Arbeitsruhegesetz*, § 7 (2).

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use Day::{FromEaster, On, Repentance};

use crate::easter;

/// The regions whose holidays are known, by ISO 3166-2: the states of Germany and of Austria.
pub(crate) const REGIONS: [&str; 25] = [
    "AT-1", "AT-2", "AT-3", "AT-4", "AT-5", "AT-6", "AT-7", "AT-8", "AT-9", "DE-BB", "DE-BE", "DE-BW",
    "DE-BY", "DE-HB", "DE-HE", "DE-HH", "DE-MV", "DE-NI", "DE-NW", "DE-RP", "DE-SH", "DE-SL", "DE-SN",
    "DE-ST", "DE-TH",
];

/// When in a year.
#[derive(Clone, Copy)]
enum Day {
    /// On this day of this month.
    On(i8, i8),
    /// So many days after Easter Sunday, or before it.
    FromEaster(i32),
    /// The Day of Repentance: the Wednesday before 23 November.
    Repentance,
}

/// When it is free, in which countries and regions, and in which years.
type Holiday = (Day, &'static [&'static str], std::ops::RangeInclusive<i16>);

/// Years with no end in sight.
const fn since(year: i16) -> std::ops::RangeInclusive<i16> {
    year..=i16::MAX
}

const HOLIDAYS: [Holiday; 25] = [
    // New Year, Epiphany, Women's Day.
    (On(1, 1), &["AT", "DE"], since(1995)),
    (On(1, 6), &["AT", "DE-BW", "DE-BY", "DE-ST"], since(1995)),
    (On(3, 8), &["DE-BE"], since(2019)),
    (On(3, 8), &["DE-MV"], since(2023)),
    // Good Friday, Easter Monday, Labour Day, Ascension, Whit Monday, Corpus Christi.
    (FromEaster(-2), &["DE"], since(1995)),
    (FromEaster(1), &["AT", "DE"], since(1995)),
    (On(5, 1), &["AT", "DE"], since(1995)),
    (FromEaster(39), &["AT", "DE"], since(1995)),
    (FromEaster(50), &["AT", "DE"], since(1995)),
    (FromEaster(60), &["AT", "DE-BW", "DE-BY", "DE-HE", "DE-NW", "DE-RP", "DE-SL"], since(1995)),
    // The end of the war 75 and 80 years before, the uprising of 1953 75 years before.
    (On(5, 8), &["DE-BE"], 2020..=2020),
    (On(5, 8), &["DE-BE"], 2025..=2025),
    (On(6, 17), &["DE-BE"], 2028..=2028),
    // Assumption, Children's Day, German Unity, Austria's National Day.
    (On(8, 15), &["AT", "DE-SL"], since(1995)),
    (On(9, 20), &["DE-TH"], since(2019)),
    (On(10, 3), &["DE"], since(1995)),
    (On(10, 26), &["AT"], since(1995)),
    // Reformation Day, All Saints, the Day of Repentance.
    (On(10, 31), &["DE-BB", "DE-MV", "DE-SN", "DE-ST", "DE-TH"], since(1995)),
    (On(10, 31), &["DE"], 2017..=2017),
    (On(10, 31), &["DE-HB", "DE-HH", "DE-NI", "DE-SH"], since(2018)),
    (On(11, 1), &["AT", "DE-BW", "DE-BY", "DE-NW", "DE-RP", "DE-SL"], since(1995)),
    (Repentance, &["DE-SN"], since(1995)),
    // The Immaculate Conception, Christmas.
    (On(12, 8), &["AT"], since(1995)),
    (On(12, 25), &["AT", "DE"], since(1995)),
    (On(12, 26), &["AT", "DE"], since(1995)),
];

/// Whether a day is a public holiday in a region.
pub(crate) fn is_holiday(day: Date, region: &str) -> bool {
    let country = region.split('-').next().unwrap_or(region);
    HOLIDAYS.iter().any(|(rule, places, years)| {
        years.contains(&day.year())
            && places.iter().any(|place| *place == region || *place == country)
            && rule.falls_on(day)
    })
}

impl Day {
    fn falls_on(self, day: Date) -> bool {
        match self {
            On(month, of_month) => (day.month(), day.day()) == (month, of_month),
            FromEaster(days) => {
                easter::sunday(day.year()).is_some_and(|sunday| sunday.saturating_add(days.days()) == day)
            }
            Repentance => {
                day.month() == 11 && (16..=22).contains(&day.day()) && day.weekday() == Weekday::Wednesday
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// The holidays of a year that are no weekend, as `month-day`.
    fn of(year: i16, region: &str) -> String {
        let days = date(year, 1, 1).series(1.day()).take(366).filter(|day| day.year() == year);
        let free = days.filter(|day| {
            is_holiday(*day, region) && !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
        });
        free.map(|day| day.strftime("%m-%d").to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_year_is_as_the_states_publish_it() {
        assert_eq!(of(2013, "DE-HE"), "01-01 03-29 04-01 05-01 05-09 05-20 05-30 10-03 12-25 12-26");
        assert_eq!(of(2014, "DE-SN"), "01-01 04-18 04-21 05-01 05-29 06-09 10-03 10-31 11-19 12-25 12-26");
        assert_eq!(of(2025, "DE-BE"), "01-01 04-18 04-21 05-01 05-08 05-29 06-09 10-03 12-25 12-26");
        assert_eq!(of(2026, "AT-9"), "01-01 01-06 04-06 05-01 05-14 05-25 06-04 10-26 12-08 12-25");
    }

    #[test]
    fn a_holiday_begins_with_its_act() {
        assert!(!is_holiday(date(2018, 3, 8), "DE-BE") && is_holiday(date(2019, 3, 8), "DE-BE"));
        assert!(!is_holiday(date(2016, 10, 31), "DE-HE") && is_holiday(date(2017, 10, 31), "DE-HE"));
        assert!(!is_holiday(date(2018, 10, 31), "DE-HE") && is_holiday(date(2018, 10, 31), "DE-NI"));
        assert!(is_holiday(date(2025, 5, 8), "DE-BE") && !is_holiday(date(2026, 5, 8), "DE-BE"));
    }
}
