-- A leave is known by its first day, and may be open. Of two that begin on one day the longer one holds.
delete from absences as shorter
using absences as longer
where longer.person_id = shorter.person_id and longer.first_day = shorter.first_day
  and longer.last_day > shorter.last_day;

alter table absences drop constraint absences_pkey;
alter table absences add primary key (person_id, first_day);
alter table absences alter column last_day drop not null;

-- Whether a tandem ended because one of the two left the company: who comes back may go on with the other.
alter table tandems add column left_company boolean not null default false;
