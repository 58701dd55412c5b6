//! A person's week in columns: parallel arrays of the windows, the zone, the languages.

use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::domain::availability::{Availability, Window};

/// The windows as parallel arrays.
pub(super) struct Week {
    pub(super) weekdays: Vec<i32>,
    pub(super) starts: Vec<i32>,
    pub(super) ends: Vec<i32>,
}

impl Week {
    pub(super) fn of(availability: &Availability) -> Self {
        let each = |minute: fn(&Window) -> i32| availability.windows.iter().map(minute).collect();
        Self {
            weekdays: each(|window| window.weekday),
            starts: each(|window| window.start_minute),
            ends: each(|window| window.end_minute),
        }
    }
}

/// The availability of a row; none while there is no zone.
pub(super) fn read(row: &PgRow) -> sqlx::Result<Option<Availability>> {
    let Some(time_zone) = row.try_get("time_zone")? else { return Ok(None) };
    let weekdays: Vec<i32> = row.try_get("window_weekdays")?;
    let starts: Vec<i32> = row.try_get("window_starts")?;
    let ends: Vec<i32> = row.try_get("window_ends")?;
    let windows = weekdays.into_iter().zip(starts).zip(ends);
    let windows =
        windows.map(|((weekday, start_minute), end_minute)| Window { weekday, start_minute, end_minute });
    Ok(Some(Availability { windows: windows.collect(), time_zone, languages: row.try_get("languages")? }))
}
