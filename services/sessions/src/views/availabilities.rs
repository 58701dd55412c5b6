//! When people can meet, from the events of the enrollment.

use identity::{EditionId, PersonId};
use jiff::civil::Weekday;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgExecutor, Row};

use super::{time_zone, unreadable};
use crate::domain::planning::{Availability, Window};
use crate::domain::zone_name;

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

pub(crate) async fn keep(
    conn: &mut PgConnection,
    edition: EditionId,
    person: PersonId,
    said: &Availability,
) -> sqlx::Result<()> {
    let each = |number: fn(&Window) -> i32| said.windows.iter().map(number).collect::<Vec<_>>();
    sqlx::query(
        "insert into availabilities
             (edition_id, person_id, window_weekdays, window_starts, window_ends, time_zone)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (edition_id, person_id) do update
         set window_weekdays = excluded.window_weekdays,
             window_starts = excluded.window_starts,
             window_ends = excluded.window_ends,
             time_zone = excluded.time_zone",
    )
    .bind(edition.uuid())
    .bind(person.uuid())
    .bind(each(|window| window.weekday.to_monday_one_offset().into()))
    .bind(each(|window| window.start_minute))
    .bind(each(|window| window.end_minute))
    .bind(zone_name(&said.time_zone))
    .execute(conn)
    .await
    .map(drop)
}
