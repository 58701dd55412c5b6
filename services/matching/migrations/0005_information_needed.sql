-- What each side of an offer needs to know before it answers; null when nothing. From the service's own events.
alter table tandems
    add column mentor_need text,
    add column mentee_need text;
