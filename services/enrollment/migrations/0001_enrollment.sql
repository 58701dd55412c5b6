-- People, editions, applications and obligations.
-- Runs as the role updraft_enrollment, whose search path is its schema.

-- Four of the tables are what the events say and nothing else: people, editions, applications, obligations. A replay builds
-- them anew, so they hold no name, no date of birth and no text but sealed, refer to nothing by foreign keys, and take their
-- defaults from constants.

create table people (
    person_id         uuid primary key,
    manager_person_id uuid,
    org_unit_id       uuid not null,
    hire_date         date not null,
    -- Set while the person has left the company.
    last_day          date
);

-- Who reports to whom: asked for each person that is shown.
create index people_by_manager on people (manager_person_id);

-- Levels below the top: 0 is the chief executive. Walking up costs one look-up per level. `union` drops what was visited
-- before, so that the walk ends whatever the reporting line looks like.
create function level_of(person uuid) returns integer
    language sql stable strict
as $$
    with recursive line (person_id, manager_person_id) as (
        select person_id, manager_person_id from people where person_id = person
        union
        select superior.person_id, superior.manager_person_id
        from people as superior join line on superior.person_id = line.manager_person_id
    )
    select count(*)::integer - 1 from line
$$;

-- Whether anybody who still works here reports to the person.
create function leads_others(person uuid) returns boolean
    language sql stable strict
as $$
    select exists (select from people where manager_person_id = person and last_day is null)
$$;

-- What the HR system says about people beyond their place. It never becomes an event, so that it can be changed and erased.
create table person_details (
    person_id       uuid primary key,
    employee_number text not null unique,
    given_name      text not null,
    family_name     text not null,
    email           text not null,
    job_title       text not null,
    department      text not null
);

-- Dates of birth, sealed with the person's key. They are here only while a released age rule of an edition that is not over
-- needs them.
create table birth_dates (
    person_id uuid primary key,
    sealed    bytea not null
);

create table editions (
    edition_id          uuid primary key,
    phase               text not null,
    copied_from         uuid,
    reference_date      date not null,
    start_date          date not null,
    months              integer not null,
    session_minutes     integer not null,
    -- Who is obliged: those within the levels, with the included, without the excluded.
    obliged_max_level   integer,
    leaders_only        boolean not null,
    included            uuid[] not null,
    excluded            uuid[] not null,
    tenure_months_min   integer not null,
    level_min           integer not null,
    chain_levels        integer not null,
    other_department    boolean not null,
    topics              text[] not null,
    mentor_capacity_max integer not null,
    answer_working_days integer not null,
    acknowledge_days    integer not null,
    anonymity_k         integer not null,
    time_zone           text not null,
    sealed_texts        bytea not null,
    -- The age rule, if one is proposed: all of them or none.
    maximum_age         integer,
    age_owner           uuid,
    age_expiry_date     date,
    age_proposed_by     uuid,
    age_sealed_texts    bytea,
    age_released        boolean not null default false,
    obliged_count       integer not null default 0,
    version             bigint not null
);

create table applications (
    application_id    uuid primary key,
    edition_id        uuid not null,
    person_id         uuid not null,
    status            text not null,
    reason            text,
    -- Parallel arrays: the offers, and the stretches of the week.
    offer_topics      text[] not null,
    offer_levels      integer[] not null,
    window_weekdays   integer[] not null,
    window_starts     integer[] not null,
    window_ends       integer[] not null,
    time_zone         text not null,
    languages         text[] not null,
    capacity          integer not null,
    sealed_motivation bytea not null,
    sealed_question   bytea,
    sealed_answer     bytea,
    promised_date     date not null,
    submitted_at      timestamptz not null,
    version           bigint not null
);

-- One offer at a time. The service checks it before it decides and holds a lock meanwhile; this is the second wall.
create unique index applications_one_alive on applications (edition_id, person_id)
    where status not in ('declined', 'withdrawn');
-- Lists page through an edition in order of submission, which is that of the ids.
create index applications_of_edition on applications (edition_id, application_id);
-- A leaver's applications, whatever the edition.
create index applications_of_person on applications (person_id);

create table obligations (
    obligation_id      uuid primary key,
    edition_id         uuid not null,
    person_id          uuid not null,
    status             text not null,
    due_date           date not null,
    escalation         integer not null default 0,
    excuse_reason      text,
    approver_person_id uuid,
    -- Empty until acknowledged. Parallel arrays: the needs, and the stretches of the week.
    need_topics        text[] not null default '{}',
    need_levels        integer[] not null default '{}',
    need_wanted        boolean[] not null default '{}',
    sealed_goals       bytea,
    window_weekdays    integer[] not null default '{}',
    window_starts      integer[] not null default '{}',
    window_ends        integer[] not null default '{}',
    time_zone          text,
    languages          text[] not null default '{}',
    version            bigint not null
);

create index obligations_of_edition on obligations (edition_id, obligation_id);
-- What may have to be escalated: a few rows of many.
create index obligations_due on obligations (due_date) where status = 'due';

-- Long work in the background. It is bookkeeping, not history: no event tells of it.
create table operations (
    operation_id     uuid primary key,
    -- The process that works on it. What is under way belongs to the one that runs now, or will never end.
    runner           uuid not null,
    state            text not null default 'running' check (state in ('running', 'succeeded', 'failed')),
    dry_run          boolean not null,
    progress_percent integer not null default 0,
    created          integer not null default 0,
    updated          integer not null default 0,
    unchanged        integer not null default 0,
    rejected         integer not null default 0,
    issue_count      integer not null default 0,
    detail           text not null default '',
    created_at       timestamptz not null
);

create table operation_issues (
    operation_id uuid not null references operations on delete cascade,
    ordinal      integer not null,
    line         integer not null,
    column_name  text not null,
    code         text not null,
    detail       text not null,
    primary key (operation_id, ordinal)
);
