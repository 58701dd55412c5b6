-- What follows when an executive is left without a tandem: rules, offers that come from it, and whom it leaves waiting.

-- Defaults are those of events from before the rules: one move, weekends only.
alter table editions
    add column region           text not null default '',
    -- Null when repairs are made by hand.
    add column repair_moves_max integer default 1;

alter table tandems add column repair_id uuid;

-- Who published a run, and so released what follows from it.
alter table match_runs add column published_by uuid;

-- From the service's own events.
create table repairs (
    repair_id             uuid primary key,
    edition_id            uuid not null,
    ended_tandem_id       uuid not null,
    mentee_person_id      uuid not null,
    -- Null when there is an offer.
    waiting               text,
    offered_tandem_id     uuid,
    moved_tandem_id       uuid,
    replacement_tandem_id uuid,
    -- Parallel arrays: the ways there were, fewest moves first.
    frontier_moves        integer[] not null,
    frontier_scores       integer[] not null,
    frontier_losses       integer[] not null,
    -- The place in the event log of the first decision, by which those who wait are served, and the time of the last.
    position              bigint not null,
    decided_at            timestamptz not null
);

create index repairs_of_edition on repairs (edition_id, repair_id);
-- Who waits: a few rows of many.
create index repairs_waiting on repairs (edition_id, position) where waiting is not null;

-- From the events of the enrollment service: who is on leave on which days, both included.
create table absences (
    person_id uuid not null,
    first_day date not null,
    last_day  date not null,
    primary key (person_id, first_day, last_day)
);
