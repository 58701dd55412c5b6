-- The files of the programme office: each is a run of the source `roster`, and every line of it has an answer.

-- Which upload a line came with: the order of the source. A number that a dry run takes is missing later, which harms nobody.
create sequence roster_uploads as bigint;

alter table operations
    -- The run that the lines go through; null of a file that was refused as a whole.
    add column sync_run_id uuid,
    add column mode        text not null default 'delta',
    -- What the file turned out to be; empty until it was looked through.
    add column encoding    text not null default '',
    add column delimiter   text not null default '',
    add column stale       integer not null default 0,
    add column leavers     integer not null default 0,
    add column scheduled   integer not null default 0;

alter table operation_issues
    -- The employee number; empty when the whole file is meant.
    add column key     text not null default '',
    -- Whether the line was refused. Before, any issue refused the whole file.
    add column refused boolean not null default true;

-- Lists and reports go by line; issues that are found at the end belong to lines of the beginning.
create index operation_issues_by_line on operation_issues (operation_id, line, ordinal);

-- What became of the lines, a batch a row, in parallel arrays: a report of 100,000 lines is a hundred rows.
create table operation_lines (
    operation_id uuid not null references operations on delete cascade,
    ordinal      integer not null,
    last_line    integer not null,
    lines        integer[] not null,
    keys         text[] not null,
    outcomes     text[] not null,
    primary key (operation_id, ordinal)
);

-- Reports are kept for a while and no longer.
create index operations_by_age on operations (created_at);
