-- The directory as HR systems feed it: what each of them said last of whom, and the runs in which they said it. None of it is
-- history: it holds names, and goes when they are erased.

-- A system that feeds the directory. What a source owns, it decides whoever else reports it; what nobody owns is decided by the
-- source of the smallest rank that reports the person.
create table sources (
    source_id  text primary key,
    rank       integer not null unique,
    owns       text[] not null default '{}',
    -- Days between the deactivation of a worker and the last working day.
    grace_days integer not null default 0,
    created_at timestamptz not null default now()
);

-- The files of the programme office.
insert into sources (source_id, rank) values ('roster', 1);

-- What a source said last of a worker. An empty text says that it said nothing.
create table workers (
    source_id           text not null references sources,
    external_id         text not null,
    -- An id that no event knows yet belongs to a worker who is expected, or was erased.
    person_id           uuid not null,
    source_version      bigint not null,
    -- expected: named as a manager and not reported yet; inactive: reported as somebody who has left; left: removed.
    state               text not null
        check (state in ('expected', 'active', 'inactive', 'left', 'rescinded', 'erased')),
    employee_number     text,
    user_name           text not null default '',
    given_name          text not null default '',
    family_name         text not null default '',
    email               text not null default '',
    job_title           text not null default '',
    org_unit_path       text[] not null default '{}',
    manager_external_id text,
    hire_date           date,
    employment          text not null default 'active'
        check (employment in ('active', 'on_leave', 'pending', 'inactive')),
    leave_first_day     date,
    leave_last_day      date,
    alias               text not null default '',
    -- The last working day of somebody inactive or left; in the future while a deactivated worker still works.
    last_day            date,
    -- Whether a worker who has signed waits for the first day.
    waits               boolean not null default false,
    created_at          timestamptz not null,
    updated_at          timestamptz not null,
    primary key (source_id, external_id)
);

create index workers_by_person on workers (person_id);
create index workers_by_employee_number on workers (employee_number) where employee_number is not null;
create index workers_by_manager on workers (source_id, manager_external_id) where manager_external_id is not null;
-- What the passing of time makes due: a few rows of many.
create index workers_leaving on workers (last_day) where state = 'active' and last_day is not null;
create index workers_waiting on workers (hire_date) where waits;

create table sync_runs (
    sync_run_id         uuid primary key,
    source_id           text not null references sources,
    mode                text not null check (mode in ('delta', 'full_snapshot', 'continuous')),
    dry_run             boolean not null,
    request_id          uuid,
    leavers_percent_max integer not null,
    state               text not null default 'open' check (state in ('open', 'committed', 'held', 'aborted')),
    detail              text not null default '',
    received            bigint not null default 0,
    created             bigint not null default 0,
    updated             bigint not null default 0,
    unchanged           bigint not null default 0,
    stale               bigint not null default 0,
    rejected            bigint not null default 0,
    removed             bigint not null default 0,
    scheduled           bigint not null default 0,
    workers             bigint not null default 0,
    leavers             bigint not null default 0,
    issues              bigint not null default 0,
    -- The last batch before the run was opened: whoever was reported in a later one is not absent.
    opened_after        bigint not null,
    -- Whether leavers are still to be made: it is clear that they leave, and they do so a thousand at a time.
    leaving             boolean not null default false,
    created_at          timestamptz not null,
    touched_at          timestamptz not null,
    ended_at            timestamptz,
    unique (source_id, request_id)
);

-- One open run of a source at a time; beside it, the one that carries the single changes of a day.
create unique index sync_runs_one_open on sync_runs (source_id, (mode = 'continuous')) where state = 'open';
create index sync_runs_of_source on sync_runs (source_id, sync_run_id);

-- Whom the records of a run were about, in parallel arrays: kept until it is clear who is absent from a snapshot.
create table sync_batches (
    ordinal      bigint generated always as identity primary key,
    sync_run_id  uuid not null references sync_runs on delete cascade,
    external_ids text[] not null,
    -- An empty text says that there is none.
    managers     text[] not null
);

create index sync_batches_of_run on sync_batches (sync_run_id, ordinal);

create table sync_issues (
    sync_run_id uuid not null references sync_runs on delete cascade,
    ordinal     bigint generated always as identity,
    external_id text not null,
    field       text not null,
    reason      text not null,
    message     text not null,
    refused     boolean not null,
    primary key (sync_run_id, ordinal)
);

-- Records whose day is still to come.
create table sync_pending (
    source_id      text not null references sources,
    external_id    text not null,
    source_version bigint not null,
    due_date       date not null,
    sync_run_id    uuid not null,
    record         jsonb not null,
    primary key (source_id, external_id, source_version)
);

create index sync_pending_due on sync_pending (due_date);
