-- The last working day of people who will leave on a day to come, and work here until then.
alter table people add column leaving_on date;

-- What the passing of days looks for: a few rows of many.
create index people_leaving on people (leaving_on) where leaving_on is not null;
