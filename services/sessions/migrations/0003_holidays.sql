-- The region whose public holidays are no working days, ISO 3166-2; empty for weekends only.
alter table editions add column region text not null default '';
