-- The people whom mentors would like to teach, and executives to learn from.
alter table applications add column wished_person_ids uuid[] not null default '{}';
alter table obligations add column wished_person_ids uuid[] not null default '{}';
