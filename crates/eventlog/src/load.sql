-- All that a command needs of its stream: what is kept under its key, the newest snapshot that fits, the events after that, and
-- the segments that hold the beginning of the stream. One statement, so that all of it is seen at one moment. The order of the
-- events is left to the reader, who checks it anyway.
with snapshot as materialized (
    -- It fits if the log still holds the event it was taken at; a join of the two would read the stream from its beginning.
    select version, position, state
    from eventlog.snapshots as snapshot
    where stream_id = $1 and stream_kind = $2 and schema_version = $5
      and position = (select event.position
                      from eventlog.events as event
                      where event.stream_id = $1 and event.stream_kind = $2 and event.version = snapshot.version)
)
select 'kept' as part, null as segment, position, null as stream_kind, id as stream_id, version, null::uuid as event_id,
       null as name, null::smallint as schema_version, fingerprint as payload, null::uuid as actor, null as traceparent,
       null::timestamptz as recorded_at
from eventlog.kept
where scope = $3 and key = $4
union all
select 'snapshot', null, position, null, null, version, null, null, null, state, null, null, null
from snapshot
union all
select 'segment', directory || '/' || file, first_position, null, null, null, null, null, null, sha256, null, null, null
from eventlog.archived_streams as archived
-- By the few segments of this stream, never through all there are.
cross join lateral (select * from eventlog.segments where segments.segment = archived.segment offset 0) as segments
where stream_id = $1 and stream_kind = $2
union all
select 'event', null, position, stream_kind, stream_id, version, event_id, name, schema_version, payload, actor,
       traceparent, recorded_at
from eventlog.events
where stream_id = $1 and stream_kind = $2 and version > coalesce((select version from snapshot), 0)
