-- What the sources of the directory identify themselves with.
--
-- It is kept beside the events: they tell when a credential was made and revoked, and nothing that it could be told by. A secret has
-- 256 bits of randomness, so that its plain SHA-256 is enough: there is nothing to guess that a slow hash would have to protect.
create table source_credentials (
    credential_id uuid primary key,
    source_id     text not null references sources,
    kind          text not null check (kind in ('secret', 'certificate')),
    -- Of the secret, or of the client certificate in DER.
    sha256        bytea not null check (length(sha256) = 32),
    created_at    timestamptz not null,
    -- To the hour, so that a busy source does not write with every call.
    last_used_at  timestamptz,
    revoked_at    timestamptz
);

create index source_credentials_of_source on source_credentials (source_id, credential_id);

-- A certificate speaks for one source: it is looked up without knowing which.
create unique index source_credentials_by_certificate on source_credentials (sha256)
    where kind = 'certificate' and revoked_at is null;
