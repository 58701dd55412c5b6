-- The catalogue of an edition, so that a topic named beside a sealed question is one of it and no free text.
alter table editions add column topic_ids text[] not null default '{}';
