-- A leave is known by its first day, and may be open. Of two that begin on one day the longer one holds.
delete from absences as shorter
using absences as longer
where longer.person_id = shorter.person_id and longer.first_day = shorter.first_day
  and longer.last_day > shorter.last_day;

alter table absences drop constraint absences_pkey;
alter table absences add primary key (person_id, first_day);
alter table absences alter column last_day drop not null;

-- The passing of time looks for those that are open: a few rows of many.
create index absences_open on absences (first_day) where last_day is null;

-- Whether a session is off because of a leave, and so is planned again if there is none. What was off before stays off.
alter table sessions add column on_leave boolean not null default false;
