//! How the workers of a source stand in the programme, in the order in which it came to be so.
//!
//! A worker is told anew when it comes or goes, by the number of that change, and when its person begins or ceases to take part, by
//! the position of that event. What is read is how the worker stands now, so that two changes in a row may be told as one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgExecutor, Row};
use uuid::Uuid;

/// Up to where somebody knows the changes of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The number of the last coming or going.
    pub change: i64,
    /// The position of the last event that began or ended a participation.
    pub position: i64,
    /// The person of that event, as it may concern several.
    pub person: Uuid,
}

/// How a worker stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The key in the source.
    pub external_id: String,
    /// The person; none where the worker is gone.
    pub present: Option<Present>,
    /// The number of its last coming or going.
    pub change: i64,
    /// The position of the last event that began or ended its participation; 0 if none did.
    pub position: i64,
}

/// How somebody stands who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present {
    /// The person.
    pub person: Uuid,
    /// Whether the person takes part.
    pub participating: bool,
    /// Since when.
    pub since: Timestamp,
}

impl FromRow<'_, PgRow> for Standing {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let person: Option<Uuid> = row.try_get("person_id")?;
        let is_there: bool = row.try_get("is_there")?;
        let participating = row.try_get("participating")?;
        let since = row.try_get::<jiff_sqlx::Timestamp, _>("since")?.to_jiff();
        Ok(Self {
            external_id: row.try_get("external_id")?,
            present: person.filter(|_| is_there).map(|person| Present { person, participating, since }),
            change: row.try_get("change_number")?,
            position: row.try_get("position")?,
        })
    }
}

/// Where the changes of a source end now.
///
/// # Errors
/// If the database fails.
pub async fn end(executor: impl PgExecutor<'_>, source: &str) -> sqlx::Result<Place> {
    let (change, position, person) = sqlx::query_as(
        "select coalesce((select max(change_number) from workers where source_id = $1), 0),
                coalesce(last.position, 0),
                coalesce(last.person_id, '00000000-0000-0000-0000-000000000000')
         from (select) as one
         left join lateral (
             select position, person_id from participations order by position desc, person_id desc limit 1
         ) as last on true",
    )
    .bind(source)
    .fetch_one(executor)
    .await?;
    Ok(Place { change, position, person })
}

/// Workers of a source who are there, by their keys.
///
/// # Errors
/// If the database fails.
pub async fn present(
    executor: impl PgExecutor<'_>,
    source: &str,
    after: &str,
    limit: i64,
) -> sqlx::Result<Vec<Standing>> {
    sqlx::query_as(
        "select external_id, person_id, true as is_there, change_number,
                coalesce(participating, false) as participating, coalesce(position, 0) as position,
                greatest(changed_at, created_at) as since
         from workers left join participations using (person_id)
         where source_id = $1 and external_id > $2 and state = 'active'
         order by external_id
         limit $3",
    )
    .bind(source)
    .bind(after)
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// Workers of a source who came or went behind a place, in that order.
///
/// # Errors
/// If the database fails.
pub async fn moves(
    executor: impl PgExecutor<'_>,
    source: &str,
    after: Place,
    limit: i64,
) -> sqlx::Result<Vec<Standing>> {
    // Somebody who is expected has not come yet.
    sqlx::query_as(
        "select external_id, person_id, state = 'active' as is_there, change_number,
                coalesce(participating, false) as participating, coalesce(position, 0) as position,
                greatest(changed_at, created_at) as since
         from workers left join participations using (person_id)
         where source_id = $1 and change_number > $2 and state <> 'expected'
         order by change_number
         limit $3",
    )
    .bind(source)
    .bind(after.change)
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// Workers of a source who are there and began or ceased to take part behind a place, in that order.
///
/// # Errors
/// If the database fails.
pub async fn turns(
    executor: impl PgExecutor<'_>,
    source: &str,
    after: Place,
    limit: i64,
) -> sqlx::Result<Vec<Standing>> {
    // By the index for each person: a plan made before there were participations would read all workers.
    sqlx::query_as(
        "select external_id, person_id, true as is_there, change_number, participating, position,
                greatest(changed_at, created_at) as since
         from participations
         cross join lateral (
             select external_id, change_number, created_at from workers
             where person_id = participations.person_id and source_id = $1 and state = 'active' offset 0
         ) as workers
         where (position, person_id) > ($2, $3)
         order by position, person_id, external_id
         limit $4",
    )
    .bind(source)
    .bind(after.position)
    .bind(after.person)
    .bind(limit)
    .fetch_all(executor)
    .await
}
