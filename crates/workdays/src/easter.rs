//! Easter Sunday, on which half of the holidays depend.

use jiff::civil::Date;

/// Easter Sunday of the Gregorian calendar; none outside the calendar.
///
/// # Source
/// The anonymous Gregorian algorithm ("Butcher's"), in Meeus, *Astronomical Algorithms*, 2nd edition, chapter 8; the names of the
/// quantities follow Knuth, *The Art of Computer Programming*, volume 1, section 1.3.2, exercise 14.
pub(crate) fn sunday(year: i16) -> Option<Date> {
    let year_number = i32::from(year);
    let golden_number = year_number % 19;
    let (century, year_of_century) = (year_number / 100, year_number % 100);
    let moon_correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden_number + century - century / 4 - moon_correction + 15) % 30;
    let to_sunday = (32 + 2 * (century % 4) + 2 * (year_of_century / 4) - epact - year_of_century % 4) % 7;
    let late_moon = (golden_number + 11 * epact + 22 * to_sunday) / 451;
    let days = epact + to_sunday - 7 * late_moon + 114;
    Date::new(year, i8::try_from(days / 31).ok()?, i8::try_from(days % 31 + 1).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn easter_is_where_the_published_tables_have_it() {
        // The earliest and the latest possible days, and years in which the simpler formulas go wrong.
        let tables = [
            date(1818, 3, 22),
            date(1943, 4, 25),
            date(1954, 4, 18),
            date(1981, 4, 19),
            date(2000, 4, 23),
            date(2013, 3, 31),
            date(2014, 4, 20),
            date(2026, 4, 5),
            date(2038, 4, 25),
            date(2049, 4, 18),
        ];
        for easter in tables {
            assert_eq!(sunday(easter.year()), Some(easter));
        }
    }
}
