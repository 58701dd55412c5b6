-- Tandems that meet, as the matching service says: an edition is archived only when there are none left, so that nobody who
-- met to the end lapses. A few rows at any time. A replay builds them anew, like the other tables of events.
create table live_tandems (
    tandem_id  uuid primary key,
    edition_id uuid not null
);

create index live_tandems_of_edition on live_tandems (edition_id);
