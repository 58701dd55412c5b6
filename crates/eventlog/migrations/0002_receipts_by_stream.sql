-- The receipt of a command on one stream goes into the statement that appends its events, where their positions are not
-- known yet. It names the stream instead, and the position is looked up when the command is repeated.
alter table eventlog.idempotency
    add column stream_kind text,
    alter column position drop not null;

-- What is kept under a key, with the position of the last event that the command left in its stream.
create view eventlog.kept as
select kept.scope, kept.key, kept.fingerprint, kept.id, kept.version,
       coalesce(kept.position,
                (select event.position
                 from eventlog.events as event
                 where event.stream_id = kept.id and event.stream_kind = kept.stream_kind
                   and event.version = kept.version),
                0) as position
from eventlog.idempotency as kept;

grant select on eventlog.kept to updraft_service;
