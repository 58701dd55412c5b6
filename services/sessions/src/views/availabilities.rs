//! When people can meet, from the events of the enrollment.

use eventlog::{Patches, Table};
use identity::{EditionId, PersonId};
use jiff::civil::Weekday;
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{PgExecutor, Row};

use super::{time_zone, unreadable};
use crate::domain::planning::{Availability, Window};
use crate::domain::zone_name;

static AVAILABILITIES: Table = Table {
    name: "availabilities",
    key: "edition_id, person_id",
    columns: "window_weekdays, window_starts, window_ends, time_zone",
};

/// When a person can meet in an edition; none if the person has not said it.
///
/// # Errors
/// If the database fails.
pub async fn find(
    executor: impl PgExecutor<'_>,
    edition: EditionId,
    person: PersonId,
) -> sqlx::Result<Option<Availability>> {
    let row = sqlx::query("select * from availabilities where edition_id = $1 and person_id = $2")
        .bind(edition.uuid())
        .bind(person.uuid())
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(availability).transpose()
}

fn availability(row: &PgRow) -> sqlx::Result<Availability> {
    let weekdays: Vec<i32> = row.try_get("window_weekdays")?;
    let starts: Vec<i32> = row.try_get("window_starts")?;
    let ends: Vec<i32> = row.try_get("window_ends")?;
    let window = |((weekday, start_minute), end_minute)| {
        let weekday = weekday_of(weekday).ok_or_else(|| unreadable("window_weekdays", "it is no weekday"))?;
        Ok(Window { weekday, start_minute, end_minute })
    };
    let windows = weekdays.into_iter().zip(starts).zip(ends).map(window);
    Ok(Availability {
        windows: windows.collect::<sqlx::Result<_>>()?,
        time_zone: time_zone(row, "time_zone")?,
    })
}

/// 1 is Monday, 7 Sunday.
fn weekday_of(number: i32) -> Option<Weekday> {
    Weekday::from_monday_one_offset(number.try_into().ok()?).ok()
}

pub(crate) fn keep(patches: &mut Patches, edition: EditionId, person: PersonId, said: &Availability) {
    let each = |number: fn(&Window) -> i32| said.windows.iter().map(number).collect::<Vec<_>>();
    let row = json!({
        "edition_id": edition, "person_id": person, "time_zone": zone_name(&said.time_zone),
        "window_weekdays": each(|window| window.weekday.to_monday_one_offset().into()),
        "window_starts": each(|window| window.start_minute), "window_ends": each(|window| window.end_minute),
    });
    patches.set(&AVAILABILITIES, row);
}
