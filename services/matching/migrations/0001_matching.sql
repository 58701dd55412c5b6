-- Match runs and tandems, and what must be known of the people to find them.
-- Runs as the role updraft_matching, whose search path is its schema.

-- Every table is what the events say and nothing else. A replay builds them anew, so they refer to nothing by foreign keys, and
-- take their defaults from constants.

-- From the service's own events.

-- What a run found is read from its stream: here is what lists need.
create table match_runs (
    match_run_id        uuid primary key,
    edition_id          uuid not null,
    status              text not null,
    inputs_digest       text not null,
    mentee_count        integer not null,
    place_count         integer not null,
    pair_count          integer not null,
    score               integer not null,
    blocking_pair_count integer not null,
    computed_at         timestamptz not null,
    version             bigint not null
);

create index match_runs_of_edition on match_runs (edition_id, match_run_id);

create table tandems (
    tandem_id        uuid primary key,
    edition_id       uuid not null,
    mentor_person_id uuid not null,
    mentee_person_id uuid not null,
    status           text not null,
    mentor_accepted  boolean not null default false,
    mentee_accepted  boolean not null default false,
    answer_by        timestamptz not null,
    topics           integer not null,
    availability     integer not null,
    distance         integer not null,
    language         integer not null,
    flagged          boolean not null default false,
    -- What keeps the two apart later: they were active, one refused the other, or one never wants to see the other again.
    activated        boolean not null default false,
    refused          boolean not null default false,
    never_again      boolean not null default false,
    version          bigint not null
);

create index tandems_of_edition on tandems (edition_id, tandem_id);
-- Own lists, the places that are taken, and the past of two people.
create index tandems_of_mentor on tandems (mentor_person_id);
create index tandems_of_mentee on tandems (mentee_person_id);
-- What may lapse: a few rows of many.
create index tandems_unanswered on tandems (answer_by) where status = 'published';

-- From the events of the enrollment service.

create table people (
    person_id         uuid primary key,
    manager_person_id uuid,
    org_unit_id       uuid not null,
    left_company      boolean not null default false
);

-- Who stands below whom: asked when somebody moves.
create index people_by_manager on people (manager_person_id);

create table editions (
    edition_id          uuid primary key,
    phase               text not null,
    start_date          date not null,
    months              integer not null,
    session_minutes     integer not null,
    chain_levels        integer not null,
    other_department    boolean not null,
    mentor_capacity_max integer not null,
    answer_working_days integer not null,
    time_zone           text not null
);

-- Applications that may still be accepted, or are. The others are deleted: nothing is kept that is not needed.
create table applications (
    application_id  uuid primary key,
    edition_id      uuid not null,
    person_id       uuid not null,
    accepted        boolean not null default false,
    -- Parallel arrays: the offers, and the stretches of the week.
    topics          text[] not null,
    levels          integer[] not null,
    window_weekdays integer[] not null,
    window_starts   integer[] not null,
    window_ends     integer[] not null,
    time_zone       text not null,
    languages       text[] not null,
    capacity        integer not null
);

create index applications_of_edition on applications (edition_id, person_id) where accepted;

-- Obligations that were taken on.
create table obligations (
    obligation_id   uuid primary key,
    edition_id      uuid not null,
    person_id       uuid not null,
    -- Parallel arrays: the topics to be learnt, and the stretches of the week.
    topics          text[] not null,
    levels          integer[] not null,
    window_weekdays integer[] not null,
    window_starts   integer[] not null,
    window_ends     integer[] not null,
    time_zone       text not null,
    languages       text[] not null
);

create index obligations_of_edition on obligations (edition_id, person_id);
