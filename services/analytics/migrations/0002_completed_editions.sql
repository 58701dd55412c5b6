-- The report of an edition is published to those who took part when its meetings are over.
alter table editions add column completed boolean not null default false;
