-- Who is on leave on which days, both included, counted in the zone of the person. A person never has the same leave twice.
create table absences (
    person_id uuid not null,
    first_day date not null,
    last_day  date not null,
    primary key (person_id, first_day, last_day)
);

-- The zone in which a person counts days: that of what they said last, in any edition.
create view zones as
select distinct on (person_id) person_id, time_zone
from availabilities
order by person_id, edition_id desc;
