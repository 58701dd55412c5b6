-- What somebody is to be told, and what became of it. No name, no address and no text: they are looked up and written when a
-- mail is sent.

-- The first five tables are a fold of the others' events, filled by the follower alone and compared with a replay.

create table editions (
    edition_id uuid primary key,
    -- Quiet hours are those of this zone.
    time_zone text not null
);

create table tandems (
    tandem_id uuid primary key,
    mentor_id uuid not null,
    mentee_id uuid not null
);

create table sessions (
    session_id uuid primary key,
    tandem_id uuid not null,
    start_at timestamptz not null,
    minutes integer not null,
    time_zone text not null,
    -- The number of changes: a calendar takes the highest as the truth.
    sequence integer not null default 0,
    open boolean not null default true
);
create index sessions_by_tandem on sessions (tandem_id) where open;

create table leavers (
    person_id uuid primary key
);

create table messages (
    notification_id uuid primary key,
    person_id uuid not null,
    kind text not null,
    edition_id uuid not null,
    -- Application, obligation, tandem, session or follow-up.
    subject_id uuid not null,
    -- The other side of the tandem, if the message speaks of it.
    partner_id uuid,
    due_date date,
    months integer,
    ending text,
    -- Nobody needs it any more: the person has acted, has left, or something newer says the same better.
    obsolete boolean not null,
    created_at timestamptz not null
);
create index messages_by_person on messages (person_id, created_at desc, notification_id desc);
create index messages_by_subject on messages (subject_id);
create index messages_waiting on messages (created_at, notification_id) where not obsolete;

-- The last two tables are no fold: they say what was done, which no event does.

-- One mail, of one message or of several that were due together.
create table mails (
    -- The first of its messages: stable, so that a mail sent twice after a crash can be recognised.
    mail_id uuid primary key,
    person_id uuid not null,
    attempts integer not null default 0,
    -- When it is tried next; while it is being tried, when it counts as given up by a process that died. None when closed.
    due_at timestamptz,
    created_at timestamptz not null
);
create index mails_due on mails (due_at) where due_at is not null;

-- What became of a message, once it was put into a mail.
create table deliveries (
    notification_id uuid primary key,
    mail_id uuid not null,
    state text not null check (state in ('pending', 'sent', 'suppressed', 'failed'))
);
create index deliveries_by_mail on deliveries (mail_id);

-- A message with all that it takes to judge, to write and to list it.
create view outbox as
select m.notification_id, m.person_id, m.kind, m.edition_id, m.subject_id, m.partner_id, m.due_date, m.months, m.ending,
       m.obsolete, m.created_at,
       e.time_zone,
       s.start_at, s.minutes, s.sequence, s.time_zone as session_zone,
       d.mail_id,
       case when d.state <> 'pending' then d.state when m.obsolete then 'suppressed' else 'pending' end as state,
       -- An attempt counts, as a process that died may have been successful.
       exists (
           select
           from messages as invitation
           join deliveries as delivery using (notification_id)
           join mails as mail using (mail_id)
           where invitation.subject_id = m.subject_id and invitation.person_id = m.person_id
             and invitation.kind = 'session_invitation' and mail.attempts > 0 and delivery.state <> 'failed'
       ) as invited
from messages as m
left join editions as e using (edition_id)
left join sessions as s on s.session_id = m.subject_id
left join deliveries as d using (notification_id);
