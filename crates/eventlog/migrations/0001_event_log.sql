-- The event log: what happened, in one order, forever.
-- Runs as the owner of the schema eventlog; the services reach it through the group role updraft_service.

-- A position is taken at insert and becomes visible at commit, so positions become visible out of order. The watermark
-- (watermark.rs) makes an order of them that never skips one; it needs that positions come from this identity only, and
-- one by one (cache 1): a session that keeps some in reserve would hand out low ones long after higher ones were read.
create table eventlog.events (
    position       bigint      generated always as identity (cache 1) primary key,
    stream_kind    text        not null,
    stream_id      uuid        not null,
    version        bigint      not null check (version > 0),
    event_id       uuid        not null,
    name           text        not null,
    schema_version smallint    not null,
    payload        bytea       not null,
    actor          uuid,
    traceparent    text,
    recorded_at    timestamptz not null,
    -- Decides the race for the next version of a stream, and serves the loading of one stream in order. There is no
    -- third index on purpose: each one costs every append.
    constraint events_next_version unique (stream_id, stream_kind, version)
);

-- How far each consumer has come. The fence grows each time a process takes the consumer over; who holds an older one
-- can no longer move the checkpoint. A row is rewritten for every page, so the table keeps room for that in place.
create table eventlog.checkpoints (
    consumer text   primary key,
    position bigint not null,
    fence    bigint not null
) with (fillfactor = 50);

-- The receipt of each command that came with a key, written in the command's own transaction, so that a repeated
-- command gets the first answer. created_at is the database's time, not the business time: retries happen in real time.
create table eventlog.idempotency (
    scope       text        not null,
    key         text        not null,
    fingerprint bytea       not null,
    id          uuid        not null,
    version     bigint      not null,
    position    bigint      not null,
    created_at  timestamptz not null default now(),
    primary key (scope, key)
);

-- Finds the receipts that are old enough to be swept.
create index idempotency_created_at on eventlog.idempotency (created_at);

-- What is recorded stays: nobody but the owner may change or delete an event.
grant usage on schema eventlog to updraft_service;
grant select, insert on eventlog.events to updraft_service;
grant select on sequence eventlog.events_position_seq to updraft_service;
grant select, insert, update on eventlog.checkpoints to updraft_service;
grant select, insert, update, delete on eventlog.idempotency to updraft_service;
