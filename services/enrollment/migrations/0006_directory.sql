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
    -- The last working day of somebody inactive or left; it is still to come while a deactivated worker works on.
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

-- What is shown of a person is what the sources say together. Two people may have the same personnel number for a while, as
-- each source has its own.
alter table person_details
    drop constraint person_details_employee_number_key,
    add column user_name       text not null default '',
    -- The leave that was told last.
    add column leave_first_day date,
    add column leave_last_day  date;

create index person_details_by_number on person_details (employee_number, person_id);

-- Whom a roster listed before there were sources, so that the next one finds them again.
insert into workers
    (source_id, external_id, person_id, source_version, state, employee_number, given_name, family_name, email, job_title,
     org_unit_path, manager_external_id, hire_date, last_day, created_at, updated_at)
select 'roster', details.employee_number, person_id, 0, case when last_day is null then 'active' else 'left' end,
       details.employee_number, details.given_name, details.family_name, details.email, details.job_title,
       array[details.department], superior.employee_number, hire_date, last_day, now(), now()
from people
join person_details as details using (person_id)
left join person_details as superior on superior.person_id = people.manager_person_id;

-- Levels below the top: 0 is the chief executive. Whoever does not hang below a top has none: the reporting line ends at
-- somebody who is not known yet, or goes in a circle. Walking up costs one look-up per level; `union` drops what was visited
-- before, so that the walk ends whatever the reporting line looks like.
create or replace function level_of(person uuid) returns integer
    language sql stable strict
as $$
    with recursive line (person_id, manager_person_id) as (
        select person_id, manager_person_id from people where person_id = person
        union
        select superior.person_id, superior.manager_person_id
        from people as superior join line on superior.person_id = line.manager_person_id
    )
    select case when bool_or(manager_person_id is null) then count(*)::integer - 1 end from line
$$;

-- Everybody who hangs below a top, down to a level, by one descent: cheaper than a walk up from each.
create function levels(max_level integer) returns table (person_id uuid, level integer)
    language sql stable
as $$
    with recursive below (person_id, level) as (
        select person_id, 0 from people where manager_person_id is null and max_level >= 0
        union all
        select people.person_id, below.level + 1
        from below join people on people.manager_person_id = below.person_id
        where below.level < max_level
    )
    select person_id, level from below
$$;

-- The tops are looked for whenever levels are.
create index people_at_the_top on people (person_id) where manager_person_id is null;

-- The superiors of a person with their distance, the person first: one look-up per level. An array of those met keeps the walk
-- from going round in a circle.
create function superiors(person uuid) returns table (person_id uuid, distance integer)
    language sql stable strict
as $$
    with recursive line (person_id, manager_person_id, distance, met) as (
        select person_id, manager_person_id, 0, array[person_id] from people where people.person_id = person
        union all
        select superior.person_id, superior.manager_person_id, line.distance + 1, line.met || superior.person_id
        from line join people as superior on superior.person_id = line.manager_person_id
        where superior.person_id <> all (line.met)
    )
    select person_id, distance from line
$$;

-- Whether one stands above the other, by at most so many levels; without a number by any.
create function stands_above(superior uuid, person uuid, levels_max integer) returns boolean
    language sql stable
as $$
    select exists (
        select from superiors(person) as line
        where line.person_id = superior and distance > 0 and distance <= coalesce(levels_max, distance)
    )
$$;

-- The nearest superior of both, who may be one of the two; null where there is none.
create function common_superior(one uuid, other uuid) returns uuid
    language sql stable strict
as $$
    select first.person_id
    from superiors(one) as first join superiors(other) as second using (person_id)
    order by first.distance
    limit 1
$$;

-- All below a person, by a descent that visits nobody else.
create function all_below(person uuid) returns table (person_id uuid)
    language sql stable strict
as $$
    with recursive below (person_id) as (
        select person_id from people where manager_person_id = person
        union
        select people.person_id from below join people on people.manager_person_id = below.person_id
    )
    select person_id from below where person_id <> person
$$;
