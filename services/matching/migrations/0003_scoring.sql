-- The scoring rules of an edition, the inputs of its runs as they were, and what more a score is made of.

-- From the service's own events: every version that was set. An edition without one has the default, version 0.
create table scoring_rules (
    edition_id          uuid not null,
    version             integer not null,
    -- In the order in which the criteria are defined.
    weights             integer[] not null,
    bands               integer[] not null,
    valid_from          timestamptz not null,
    -- None for what came with a copied edition.
    set_by_person_id    uuid,
    primary key (edition_id, version)
);

-- What runs were computed from, by the SHA-256 that their events bear. Events alone do not tell it, so that no replay builds these two
-- anew: they are written together with the event, and never again.
create table frozen_inputs (
    inputs_digest text primary key,
    bytes         bytea not null
);

-- The verdict on every pair of these inputs, so that an explanation is a read: a row per mentee, in their order in the inputs.
create table verdicts (
    inputs_digest text not null,
    mentee_number integer not null,
    pairs         bytea not null,
    primary key (inputs_digest, mentee_number)
);

-- Defaults are what was true of every row before.
alter table tandems
    add column mentee_wish     integer not null default 0,
    add column mentor_wish     integer not null default 0,
    add column load_balance    integer not null default 0,
    add column scoring_version integer not null default 0;

alter table applications add column wished_person_ids uuid[] not null default '{}';
alter table obligations add column wished_person_ids uuid[] not null default '{}';
