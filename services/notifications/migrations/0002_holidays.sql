-- The region on whose public holidays no mail goes, ISO 3166-2; empty for weekends only.
alter table editions add column region text not null default '';

-- A message with all that it takes to judge, to write and to list it.
create or replace view outbox as
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
       ) as invited,
       e.region
from messages as m
left join editions as e using (edition_id)
left join sessions as s on s.session_id = m.subject_id
left join deliveries as d using (notification_id);
