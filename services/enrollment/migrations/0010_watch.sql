-- What HR systems are told back: which workers there are, and who of them takes part.

-- What makes somebody take part: an application or an obligation that is alive, a tandem that meets. One row for each person
-- of it, only as long as it lasts. A replay builds it anew.
create table engagements (
    engagement_id uuid not null,
    person_id     uuid not null,
    edition_id    uuid not null,
    kind          text not null,
    primary key (engagement_id, person_id)
);

create index engagements_of_person on engagements (person_id);
-- With an edition end its applications, which nobody withdraws.
create index applications_engaged_in on engagements (edition_id) where kind = 'application';

-- Whoever has ever taken part, and since when it is as it is. The position is that of the event that made it so; whoever
-- follows the changes goes on behind the last one seen. A replay builds it anew.
create table participations (
    person_id     uuid primary key,
    participating boolean not null,
    changed_at    timestamptz not null,
    position      bigint not null
);

create index participations_in_order on participations (position, person_id);

-- The order in which workers came to be reported, and ceased to be. Whoever writes workers holds the lock of the directory until
-- the end of the transaction, so that the numbers become visible in their order; whoever follows goes on behind the last one seen.
create sequence worker_changes;

alter table workers add column change_number bigint not null default nextval('worker_changes');

alter sequence worker_changes owned by workers.change_number;

create index workers_in_order on workers (source_id, change_number);

-- Only what followers are told takes a number: that a worker is there, is gone, or is somebody else.
create function number_change() returns trigger
    language plpgsql
as $$
begin
    new.change_number := nextval('worker_changes');
    return new;
end
$$;

create trigger workers_numbered before update on workers
    for each row
    when (new.state is distinct from old.state or new.person_id is distinct from old.person_id)
    execute function number_change();
