-- How many active workers a source had when a run was opened: of these only so many may leave. Newcomers of the run itself do not
-- enlarge the number.
alter table sync_runs add column active_before bigint not null default 0;

update sync_runs
set active_before = (
    select count(*) from workers where workers.source_id = sync_runs.source_id and workers.state = 'active'
)
where mode = 'full_snapshot' and state in ('open', 'held');

-- What is old is forgotten; a few rows of many.
create index sync_runs_by_age on sync_runs (ended_at);

-- The managers are asked from the workers themselves.
alter table sync_batches
    alter column managers set default '{}',
    -- Workers whose personnel number a refused record claims: it may be theirs under another key, so that they are not absent.
    add column claimed text[] not null default '{}';

-- Workers as a dry run would have left them, so that its next batch goes on from there. They go when the run ends.
create table sync_trials (
    sync_run_id     uuid not null references sync_runs on delete cascade,
    worker          jsonb not null,
    source_id       text not null generated always as (worker ->> 'source_id') stored,
    external_id     text not null generated always as (worker ->> 'external_id') stored,
    employee_number text generated always as (worker ->> 'employee_number') stored,
    person_id       text not null generated always as (worker ->> 'person_id') stored,
    primary key (sync_run_id, source_id, external_id)
);

create index sync_trials_by_number on sync_trials (sync_run_id, employee_number) where employee_number is not null;
create index sync_trials_by_person on sync_trials (sync_run_id, person_id);

-- Up to which key the people of a source were looked at since it owns something else; null once all were.
alter table sources add column looked_at_to text;
