-- What a tandem does: its series of sessions, its question box, its actions; and the follow-ups after the end.
-- Runs as the role updraft_sessions, whose search path is its schema.

-- Every table is what the events say and nothing else. A replay builds them anew, so they hold no text but sealed, refer to
-- nothing by foreign keys, and take their defaults from constants.

create table series (
    tandem_id        uuid primary key,
    edition_id       uuid not null,
    mentor_person_id uuid not null,
    mentee_person_id uuid not null,
    -- The mentee's zone, IANA.
    time_zone        text not null,
    mentor_accepted  boolean not null default false,
    mentee_accepted  boolean not null default false,
    office_alerted   boolean not null default false,
    ended            boolean not null default false,
    version          bigint not null
);

-- A person's calendar, on either side.
create index series_of_mentor on series (mentor_person_id);
create index series_of_mentee on series (mentee_person_id);
-- What the end of an edition ends.
create index series_running on series (edition_id) where not ended;

create table sessions (
    session_id       uuid primary key,
    tandem_id        uuid not null,
    month            integer not null,
    state            text not null,
    start_at         timestamptz not null,
    end_at           timestamptz not null,
    -- Number of changes, as in iCalendar.
    sequence         integer not null default 0,
    -- Who cancelled or did not come; null when the tandem ended.
    side             text,
    approved_absence boolean not null default false
);

-- Lists go by start; the id makes the order total.
create index sessions_of_tandem on sessions (tandem_id, start_at, session_id);

create table questions (
    question_id uuid primary key,
    tandem_id   uuid not null,
    -- The place of the asking in the event log, by which the box is sorted.
    position    bigint not null,
    sealed_text bytea not null,
    topic_id    text not null,
    asked_by    uuid not null,
    -- The session that answered it; null while it is open.
    answered_in uuid,
    asked_at    timestamptz not null
);

create index questions_of_tandem on questions (tandem_id, position);

create table actions (
    action_id   uuid primary key,
    tandem_id   uuid not null,
    position    bigint not null,
    sealed_text bytea not null,
    agreed_by   uuid not null,
    due_date    date not null,
    completed   boolean not null default false
);

create index actions_of_tandem on actions (tandem_id, position);

create table follow_ups (
    follow_up_id     uuid primary key,
    edition_id       uuid not null,
    mentee_person_id uuid not null,
    months           integer not null,
    due_date         date not null,
    is_due           boolean not null default false,
    -- Null until answered.
    active           boolean
);

create index follow_ups_of_mentee on follow_ups (mentee_person_id, edition_id, months);
-- What the passing of time has to look at: a few rows of many.
create index follow_ups_to_come on follow_ups (due_date) where not is_due;

-- The rest is kept from the events of others, as far as planning needs it.

create table editions (
    edition_id      uuid primary key,
    start_date      date not null,
    months          integer not null,
    session_minutes integer not null,
    time_zone       text not null
);

-- When a person can meet, as said last in an edition. The stretches of the week are parallel arrays.
create table availabilities (
    edition_id      uuid not null,
    person_id       uuid not null,
    window_weekdays integer[] not null,
    window_starts   integer[] not null,
    window_ends     integer[] not null,
    time_zone       text not null,
    primary key (edition_id, person_id)
);

-- Who is obliged and not excused.
create table obligations (
    edition_id uuid not null,
    person_id  uuid not null,
    primary key (edition_id, person_id)
);
