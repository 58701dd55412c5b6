//! The archive: the events of completed work leave the database, and every reader still gets them.
//!
//! # Why files and no partitions
//!
//! A partition could be detached in no time, but Postgres wants the partition key in every unique constraint. By position, the
//! log would lose `unique (stream_id, stream_kind, version)`, which decides the race for the next version of a stream; by stream
//! or edition, a page of the feed would have to merge all partitions, and every append would pay for the routing. So the log
//! stays one table with two indexes. What is completed is moved out of it in one transaction, rarely and by the operator, and
//! the last event of each stream stays, so that the constraint goes on to guard the next version.
//!
//! An event is in the table or in exactly one segment, at every moment that a statement can see.

use std::collections::BTreeSet;
use std::path::Path;

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::segment::Segment;
use crate::{Error, Recorded, StreamId};

/// The most events of one segment: it is read as a whole for each of them.
const SEGMENT_EVENTS_MAX: usize = 4096;

/// What was moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Archived {
    /// Streams whose beginning is in the archive now.
    pub streams: usize,
    /// Events that were moved.
    pub events: usize,
    /// Files that were written.
    pub segments: usize,
    /// Their size.
    pub bytes: u64,
}

/// Moves the events of these streams, all but the last one of each, into segments in a directory.
///
/// The pool connects as the owner of the schema: nobody else may delete an event. The files begin with `name`. If this fails,
/// nothing was moved; files that it leaves behind are written anew by the next attempt.
///
/// Appends go on all the while. The feed waits only for the deletion, which comes last, when every file is on the disk.
///
/// # Errors
///
/// [`Error::Archive`] if a file cannot be written, [`Error::Database`] if the database fails.
pub async fn archive(
    owner: &PgPool,
    directory: &Path,
    name: &str,
    streams: &BTreeSet<StreamId>,
) -> Result<Archived, Error> {
    let mut sql = owner.begin().await?;
    // One at a time: the name of a file says where it begins, and two would write the same one with different ends.
    sqlx::query("lock table eventlog.segments in exclusive mode").execute(&mut *sql).await?;
    let positions = completed(&mut sql, streams).await?;
    let mut archived = Archived { events: positions.len(), ..Archived::default() };
    let mut moved = BTreeSet::new();
    for positions in positions.chunks(SEGMENT_EVENTS_MAX) {
        let events = as_written(&mut sql, positions).await?;
        let streams: BTreeSet<StreamId> = events.iter().map(|event| event.stream.clone()).collect();
        let file = format!("{name}-{:020}.events", positions.first().copied().unwrap_or_default());
        let (segment, bytes) = Segment::write(directory.join(&file), events).await?;
        register(&mut sql, directory, &file, &segment, bytes, positions, &streams).await?;
        archived.segments += 1;
        archived.bytes += bytes;
        moved.extend(streams);
    }
    archived.streams = moved.len();
    // From here on the watermark takes this for an append in flight, so the disk has nothing left to do but the commit.
    for positions in positions.chunks(SEGMENT_EVENTS_MAX) {
        remove(&mut sql, positions).await?;
    }
    sql.commit().await?;
    Ok(archived)
}

/// Tells the log that its archive lies in another directory now, once every segment is found there unharmed.
///
/// # Errors
///
/// [`Error::Archive`] if a segment is missing there or damaged; then nothing has changed.
pub async fn relocate(owner: &PgPool, directory: &Path) -> Result<usize, Error> {
    let mut sql = owner.begin().await?;
    let segments: Vec<(String, Vec<u8>)> =
        sqlx::query_as("select file, sha256 from eventlog.segments order by segment for update")
            .fetch_all(&mut *sql)
            .await?;
    let count = segments.len();
    for (file, sha256) in segments {
        Segment { path: directory.join(file), sha256 }.read().await?;
    }
    sqlx::query("update eventlog.segments set directory = $1")
        .bind(directory.display().to_string())
        .execute(&mut *sql)
        .await?;
    sql.commit().await?;
    Ok(count)
}

/// The positions of all events of the streams but the last of each, in order.
async fn completed(conn: &mut PgConnection, streams: &BTreeSet<StreamId>) -> Result<Vec<i64>, Error> {
    // A receipt looks its position up in the log, unless it knows it already.
    let (kinds, ids) = columns(streams);
    sqlx::query(
        "update eventlog.idempotency as kept set position = event.position
         from unnest($1::text[], $2::uuid[]) as wanted (stream_kind, stream_id)
         join eventlog.events as event using (stream_id, stream_kind)
         where kept.position is null and kept.id = stream_id and kept.stream_kind = wanted.stream_kind
           and kept.version = event.version",
    )
    .bind(&kinds)
    .bind(&ids)
    .execute(&mut *conn)
    .await?;
    let positions = sqlx::query_scalar(
        "select position
         from unnest($1::text[], $2::uuid[]) as wanted (stream_kind, stream_id)
         cross join lateral (
             select max(version) as last from eventlog.events as event
             where event.stream_id = wanted.stream_id and event.stream_kind = wanted.stream_kind
         ) as stream
         join eventlog.events as event using (stream_id, stream_kind)
         where event.version < stream.last
         order by position",
    )
    .bind(&kinds)
    .bind(&ids)
    .fetch_all(conn)
    .await?;
    Ok(positions)
}

/// The events at these positions in the schema version in which they were written: the archive tells history, not its reading.
async fn as_written(conn: &mut PgConnection, positions: &[i64]) -> Result<Vec<Recorded>, Error> {
    let rows = sqlx::query("select * from eventlog.events where position = any($1) order by position")
        .bind(positions)
        .fetch_all(conn)
        .await?;
    Ok(rows.iter().map(Recorded::as_written).collect::<sqlx::Result<_>>()?)
}

async fn register(
    conn: &mut PgConnection,
    directory: &Path,
    file: &str,
    segment: &Segment,
    bytes: u64,
    positions: &[i64],
    streams: &BTreeSet<StreamId>,
) -> Result<(), Error> {
    let (kinds, ids) = columns(streams);
    sqlx::query(
        "with segment as (
             insert into eventlog.segments (directory, file, sha256, bytes, events, first_position, last_position)
             values ($1, $2, $3, $4, $5, $6, $7)
             returning segment
         )
         insert into eventlog.archived_streams (stream_kind, stream_id, segment)
         select stream_kind, stream_id, segment
         from segment, unnest($8::text[], $9::uuid[]) as stream (stream_kind, stream_id)",
    )
    .bind(directory.display().to_string())
    .bind(file)
    .bind(&segment.sha256)
    .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
    .bind(i32::try_from(positions.len()).unwrap_or(i32::MAX))
    .bind(positions.first())
    .bind(positions.last())
    .bind(kinds)
    .bind(ids)
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes what a segment holds now.
async fn remove(conn: &mut PgConnection, positions: &[i64]) -> Result<(), Error> {
    sqlx::query("delete from eventlog.events where position = any($1)").bind(positions).execute(conn).await?;
    Ok(())
}

fn columns(streams: &BTreeSet<StreamId>) -> (Vec<&str>, Vec<Uuid>) {
    streams.iter().map(|stream| (stream.kind.as_str(), stream.id)).unzip()
}
