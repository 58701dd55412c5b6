-- As load.sql, of many streams of a kind at one moment.
with wanted as materialized (
    select stream_id from unnest($1::uuid[]) as wanted (stream_id)
),
snapshot as materialized (
    select snapshot.stream_id, version, position, state
    from wanted join eventlog.snapshots as snapshot using (stream_id)
    where stream_kind = $2 and schema_version = $3
      and position = (select event.position
                      from eventlog.events as event
                      where event.stream_id = snapshot.stream_id and event.stream_kind = $2
                        and event.version = snapshot.version)
)
select 'snapshot' as part, null as segment, position, null as stream_kind, stream_id, version, null::uuid as event_id,
       null as name, null::smallint as schema_version, state as payload, null::uuid as actor, null as traceparent,
       null::timestamptz as recorded_at
from snapshot
union all
select 'segment', directory || '/' || file, first_position, null, stream_id, null, null, null, null, sha256, null, null, null
from wanted join eventlog.archived_streams as archived using (stream_id)
cross join lateral (select * from eventlog.segments where segments.segment = archived.segment offset 0) as segments
where stream_kind = $2
union all
select 'event', null, event.position, stream_kind, event.stream_id, event.version, event_id, name, schema_version, payload, actor,
       traceparent, recorded_at
from wanted
left join snapshot using (stream_id)
-- By the index of each stream, however many there are.
cross join lateral (
    select * from eventlog.events
    where stream_id = wanted.stream_id and stream_kind = $2 and version > coalesce(snapshot.version, 0)
    offset 0
) as event
