-- Records the first events of streams that nobody else can know. There is no lock to be taken and no version to be looked up; if a
-- stream has events all the same, the index that guards the next version refuses them.
insert into eventlog.events
    (stream_kind, stream_id, version, event_id, name, schema_version, payload, actor, traceparent, recorded_at)
select $1, stream_id, version, event_id, name, schema_version, payload, $2, $3, $4
from unnest($5::uuid[], $6::bigint[], $7::uuid[], $8::text[], $9::smallint[], $10::bytea[])
    with ordinality as draft (stream_id, version, event_id, name, schema_version, payload, ordinal)
order by ordinal
returning event_id, position
