-- The superiors of a person with their distance, the person first: one look-up per level, and none carries those before it along.
-- `union` drops who was met before, so that a circle ends; each level is one person, and they come in the order of the walk.
create or replace function superiors(person uuid) returns table (person_id uuid, distance integer)
    language sql stable strict
as $$
    with recursive line (person_id, manager_person_id) as (
        select person_id, manager_person_id from people where people.person_id = person
        union
        select superior.person_id, superior.manager_person_id
        from line join people as superior on superior.person_id = line.manager_person_id
    )
    select person_id, (row_number() over () - 1)::integer from line
$$;

-- How many active workers a source had when a run was opened, with the people of earlier snapshots that did not stand.
alter table sync_runs add column active_at_opening bigint not null default 0;

update sync_runs set active_at_opening = active_before;

-- Whoever is expected and whom nobody names any more is forgotten: a few rows of many.
create index workers_expected on workers (source_id, external_id) where state = 'expected';
