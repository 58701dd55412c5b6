-- Up to here the log can no longer change: for processes that start, other databases, and replicas. It is the position of
-- an event that was there when the row was written, so that what a crash leaves of the log reaches at least as far: it is
-- recovered in the order in which it was written, and a sequence never falls behind an event.
create table eventlog.watermark (
    one      boolean primary key default true check (one),
    position bigint  not null
) with (fillfactor = 50);

insert into eventlog.watermark (position) values (0);

-- A consumer is led by one process at a time, the one that holds the lease. A lease that is not renewed ends after a while by
-- the database's clock, and with the server process (holder) of the session that renewed it last: what a killed process held
-- is free at once. The fence grows whenever a lease is taken; who has an older one can no longer move the checkpoint.
--
-- A consumer may share the streams out among lanes, each with a checkpoint and a lease of its own.
--
-- What failed at a position beyond the checkpoint is what the consumer does not get past; behind it, it is history.
alter table eventlog.checkpoints
    drop constraint checkpoints_pkey,
    add column lane            integer not null default 0,
    add column lanes           integer not null default 1,
    add column renewed_at      timestamptz,
    add column holder          integer,
    add column failed_position bigint,
    add column failed_name     text,
    add column failures        integer not null default 0,
    add column failing_since   timestamptz,
    add primary key (consumer, lane),
    add check (lane >= 0 and lane < lanes);

-- Whether somebody holds a lease. Five seconds is how long a process may be paused without losing it, and how long the others
-- wait for one that is paused. A server process that is younger than the renewal has only the number of the one before it.
create function eventlog.is_held(renewed_at timestamptz, holder integer) returns boolean
language sql volatile
return renewed_at is not null and holder is not null and renewed_at + interval '5 seconds' > clock_timestamp()
       and exists (select from pg_catalog.pg_stat_get_activity(holder) where backend_start > renewed_at is not true);

grant delete on eventlog.checkpoints to updraft_service;
grant select on eventlog.watermark to updraft_service;

-- The feed reads what was appended, says how far that is settled, and keeps the place of what hands it on.
grant usage on schema eventlog to updraft_feed;
grant select on eventlog.events to updraft_feed;
grant select on sequence eventlog.events_position_seq to updraft_feed;
grant select, update on eventlog.watermark to updraft_feed;
grant select, insert, update on eventlog.checkpoints to updraft_feed;
