-- A page of the log, and the segments that may hold events between its bounds: one statement, so that an event which is moved
-- to the archive at this moment is seen in exactly one of both places. Both branches read an index in order; nothing is sorted.
(
    select null as segment, position, stream_kind, stream_id, version, event_id, name, schema_version, payload, actor,
           traceparent, recorded_at
    from eventlog.events
    where position > $1 and position <= $2
    order by position
    limit $3
)
union all
select directory || '/' || file, first_position, null, null, null, null, null, null, sha256, null, null, null
from eventlog.segments
where last_position > $1 and first_position <= $2
