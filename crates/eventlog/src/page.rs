//! The log page by page, from the database and from the archive.

use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgExecutor, Row};

use crate::segment::Segment;
use crate::{Error, Recorded};

/// Reads up to `limit` events after a position, in order; those that were archived come from their segments.
///
/// Without `up_to`, or with one beyond what has settled, an event that commits late can be missing: consumers follow
/// the [`Feed`](crate::Feed) instead. This is for replays and the operator.
///
/// # Errors
///
/// [`Error::Database`] if the query fails, [`Error::Archive`] if a segment that may hold one of the events cannot be read.
pub async fn read(
    executor: impl PgExecutor<'_>,
    after: i64,
    up_to: Option<i64>,
    limit: i64,
) -> Result<Vec<Recorded>, Error> {
    let up_to = up_to.unwrap_or(i64::MAX);
    let rows =
        sqlx::query(include_str!("page.sql")).bind(after).bind(up_to).bind(limit).fetch_all(executor).await?;
    let (mut page, mut segments) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in &rows {
        match segment(row)? {
            Some(segment) => segments.push((row.try_get("position")?, segment)),
            None => page.push(Recorded::from_row(row)?),
        }
    }
    if !segments.is_empty() {
        merge(&mut page, segments, after, up_to, usize::try_from(limit).unwrap_or_default()).await?;
    }
    Ok(page)
}

/// Takes the events of segments, each given with its first position, into a page of the database.
async fn merge(
    page: &mut Vec<Recorded>,
    mut segments: Vec<(i64, Segment)>,
    after: i64,
    up_to: i64,
    limit: usize,
) -> Result<(), Error> {
    // Beyond the last event of a full page there may be others of the database that were not asked for.
    let known = if page.len() < limit { up_to } else { page.last().map_or(after, |last| last.position) };
    segments.sort_unstable_by_key(|(first, _)| *first);
    for (first, segment) in segments {
        if page.iter().filter(|event| event.position < first).count() >= limit {
            break;
        }
        let within = |event: &Recorded| event.position > after && event.position <= known;
        page.extend(segment.read().await?.into_iter().filter(within));
    }
    page.sort_unstable_by_key(|event| event.position);
    page.truncate(limit);
    Ok(())
}

/// The position of the last event that is visible now; 0 in an empty log.
///
/// # Errors
///
/// [`Error::Database`] if the query fails.
pub async fn head(executor: impl PgExecutor<'_>) -> Result<i64, Error> {
    let head = sqlx::query_scalar("select coalesce(max(position), 0) from eventlog.events")
        .fetch_one(executor)
        .await?;
    Ok(head)
}

/// The segment that a row speaks of; none if it is an event.
pub(crate) fn segment(row: &PgRow) -> sqlx::Result<Option<Segment>> {
    let Some(path) = row.try_get::<Option<String>, _>("segment")? else { return Ok(None) };
    Ok(Some(Segment { path: path.into(), sha256: row.try_get("payload")? }))
}
