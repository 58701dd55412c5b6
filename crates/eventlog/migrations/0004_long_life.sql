-- What lets a log grow old: snapshots, so that a long stream is not read from its beginning, and the archive, to which the
-- events of completed work go.

-- The state of a stream at one of its versions, written by whoever found it long. It is never the truth: any row may be deleted
-- at any time, and a row that does not fit the log is not used.
create table eventlog.snapshots (
    stream_kind    text     not null,
    stream_id      uuid     not null,
    schema_version smallint not null,
    version        bigint   not null,
    position       bigint   not null,
    state          bytea    not null,
    primary key (stream_id, stream_kind, schema_version)
);

-- The files of the archive. A row and the deletion of its events are one transaction, so an event is always in exactly one of
-- both places.
create table eventlog.segments (
    segment        bigint  generated always as identity primary key,
    directory      text    not null,
    file           text    not null unique,
    sha256         bytea   not null,
    bytes          bigint  not null,
    events         integer not null,
    first_position bigint  not null,
    last_position  bigint  not null
);

-- Whoever reads on from a position looks for the segments that end after it.
create index segments_by_position on eventlog.segments (last_position);

-- Which segments hold the beginning of a stream. Its last event stays in the log and guards the next version.
create table eventlog.archived_streams (
    stream_id   uuid   not null,
    stream_kind text   not null,
    segment     bigint not null references eventlog.segments,
    primary key (stream_id, stream_kind, segment)
);

grant select, insert, update, delete on eventlog.snapshots to updraft_service;
grant select on eventlog.segments, eventlog.archived_streams to updraft_service;
grant select on eventlog.segments to updraft_feed;
