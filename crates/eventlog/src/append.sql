-- Appends for many callers, each wholly or not at all.
--
-- The arrays are hidden in selects from the planner: if it saw how long they are it would find a plan for each call worth
-- its while when there are few callers, and planning this takes longer than all the rest.
with caller as materialized (
    select *
    from unnest((select $1::text[]), (select $2::uuid[]), (select $3::bigint[]), (select $4::bigint[]), (select $5::uuid[]),
                (select $6::text[]), (select $7::timestamptz[]), (select $8::text[]), (select $9::text[]),
                (select $10::bytea[]))
        with ordinality as caller (stream_kind, stream_id, version, version_after, actor, traceparent, recorded_at,
                                   scope, key, fingerprint, caller)
),
-- A transaction that holds the stream has loaded it and relies on nobody appending meanwhile; nobody waits for it here,
-- where all the other callers would have to wait too.
ready as materialized (
    select caller.*
    from caller
    where pg_try_advisory_xact_lock(hashtextextended(caller.stream_kind || caller.stream_id::text, 0))
      and caller.version = coalesce(
          (select max(event.version)
           from eventlog.events as event
           where event.stream_id = caller.stream_id and event.stream_kind = caller.stream_kind), 0)
),
claimed as (
    insert into eventlog.idempotency (scope, key, fingerprint, stream_kind, id, version)
    select scope, key, fingerprint, stream_kind, stream_id, version_after
    from ready
    where key is not null
    on conflict (scope, key) do nothing
    returning scope, key
),
accepted as materialized (
    select *
    from ready
    where key is null or (scope, key) in (select scope, key from claimed)
),
recorded as (
    insert into eventlog.events
        (stream_kind, stream_id, version, event_id, name, schema_version, payload, actor, traceparent, recorded_at)
    select stream_kind, stream_id, draft.version, event_id, name, schema_version, payload, actor, traceparent, recorded_at
    from accepted
    join unnest((select $11::bigint[]), (select $12::bigint[]), (select $13::uuid[]), (select $14::text[]),
                (select $15::smallint[]), (select $16::bytea[]))
        with ordinality as draft (caller, version, event_id, name, schema_version, payload, ordinal) using (caller)
    order by draft.ordinal
    returning event_id, position
)
-- One row for all: who asked finds each caller and event in it sooner than a join does, whose plan is made for a few callers
-- and compares every one with every other.
select coalesce((select array_agg(caller) from ready), '{}'), coalesce((select array_agg(caller) from accepted), '{}'),
       coalesce(array_agg(event_id), '{}'), coalesce(array_agg(position), '{}')
from recorded
