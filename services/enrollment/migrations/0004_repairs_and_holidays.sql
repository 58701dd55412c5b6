-- What follows when somebody is left without a tandem, and whose holidays are no working days. The defaults are those of events
-- from before the two rules.
alter table editions
    add column repair_by_hand   boolean not null default false,
    add column repair_moves_max integer not null default 1,
    add column region           text not null default '';
