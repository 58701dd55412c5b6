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
