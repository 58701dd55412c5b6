-- One event of one caller without a key: what `append.sql` does for many, at less than half of its cost for the server. The row
-- that is missing from its answer says that the stream was contended.
insert into eventlog.events
    (stream_kind, stream_id, version, event_id, name, schema_version, payload, actor, traceparent, recorded_at)
select $1, $2, $3 + 1, $4, $5, $6, $7, $8, $9, $10
where pg_try_advisory_xact_lock(hashtextextended($1 || $2::text, 0))
  and $3 = coalesce((select max(event.version)
                     from eventlog.events as event
                     where event.stream_id = $2 and event.stream_kind = $1), 0)
returning position
