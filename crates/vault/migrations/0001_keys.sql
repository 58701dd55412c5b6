-- One data key per subject: a person, or a tandem. Whatever is sealed for a subject can be read as long as
-- its key is here, and never again once it is gone. That is how a person is erased from a log that only
-- grows: not the entries go, but the key to them.
create table vault.keys (
    subject uuid primary key,
    -- The data key, sealed with the master key. Null once the subject is forgotten: the row stays, so
    -- that nothing that comes late makes a new key for somebody who was erased.
    wrapped bytea
);

-- What the master key sealed when this vault was first unlocked. Opening it again proves at every start
-- that the key at hand is the same, before anything is sealed that the other key could not open.
create table vault.master (
    -- There is one master key, hence one row.
    sole boolean primary key default true check (sole),
    proof bytea not null
);

grant usage on schema vault to updraft_service;
-- Nobody deletes: forgetting is an update.
grant select, insert, update (wrapped) on vault.keys to updraft_service;
grant select, insert on vault.master to updraft_service;
