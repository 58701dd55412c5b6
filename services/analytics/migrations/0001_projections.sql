-- Everything here is a fold of the events, filled by the follower alone and compared with a replay. Only ids, states, days
-- and levels: what people wrote never comes this far.

create table editions (
    edition_id uuid primary key,
    start_date date not null,
    months integer not null,
    time_zone text not null,
    anonymity_k integer not null,
    topic_ids text[] not null
);

create table applications (
    application_id uuid primary key,
    edition_id uuid not null,
    person_id uuid not null,
    state text not null,
    asked_back boolean not null default false,
    -- The funnel counts who was ever accepted, also after a withdrawal.
    accepted boolean not null default false,
    topic_ids text[] not null
);
create index applications_by_edition on applications (edition_id, person_id);

create table obligations (
    edition_id uuid not null,
    person_id uuid not null,
    state text not null,
    primary key (edition_id, person_id)
);

create table needs (
    edition_id uuid not null,
    person_id uuid not null,
    topic_id text not null,
    level integer not null,
    wanted boolean not null,
    primary key (edition_id, person_id, topic_id)
);

create table tandems (
    tandem_id uuid primary key,
    edition_id uuid not null,
    mentor_id uuid not null,
    mentee_id uuid not null,
    state text not null,
    -- A tandem that was active once stays in the grid when it has ended.
    activated boolean not null default false
);
create index tandems_by_edition on tandems (edition_id, mentee_id);

create table sessions (
    session_id uuid primary key,
    tandem_id uuid not null,
    edition_id uuid not null,
    mentee_id uuid not null,
    month integer not null,
    start_time timestamptz not null,
    state text not null,
    side text not null default '',
    moves integer not null default 0
);
create index sessions_by_edition on sessions (edition_id, tandem_id, month);

create table alerts (
    position bigint primary key,
    edition_id uuid not null
);
create index alerts_by_edition on alerts (edition_id);

create table follow_ups (
    follow_up_id uuid primary key,
    edition_id uuid not null,
    person_id uuid not null,
    months integer not null,
    -- Null while it is not answered.
    active boolean
);
create index follow_ups_by_edition on follow_ups (edition_id, months);

create table levels_after (
    edition_id uuid not null,
    person_id uuid not null,
    topic_id text not null,
    months integer not null,
    level integer not null,
    primary key (edition_id, person_id, topic_id, months)
);

create table leavers (
    person_id uuid primary key,
    last_day date not null
);
