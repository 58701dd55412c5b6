-- Writes workers, new ones and old.
insert into workers
    (source_id, external_id, person_id, source_version, state, employee_number, user_name, given_name, family_name, email,
     job_title, org_unit_path, manager_external_id, hire_date, employment, leave_first_day, leave_last_day, alias, last_day,
     waits, created_at, updated_at)
select source_id, external_id, person_id, source_version, state, employee_number, user_name, given_name, family_name, email,
       job_title,
       -- A path of one unit without a name is another text than no path at all.
       case when no_unit then '{}' when units = '' then array[''] else string_to_array(units, E'\x1f') end,
       manager_external_id, hire_date, employment, leave_first_day, leave_last_day, alias, last_day, waits, created_at, $23
from unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::text[], $12::text[], $13::boolean[], $14::text[], $15::date[], $16::text[], $17::date[],
            $18::date[], $19::text[], $20::date[], $21::boolean[], $22::timestamptz[])
    as written (source_id, external_id, person_id, source_version, state, employee_number, user_name, given_name, family_name,
                email, job_title, units, no_unit, manager_external_id, hire_date, employment, leave_first_day, leave_last_day,
                alias, last_day, waits, created_at)
on conflict (source_id, external_id) do update
set person_id = excluded.person_id, source_version = excluded.source_version, state = excluded.state,
    employee_number = excluded.employee_number, user_name = excluded.user_name, given_name = excluded.given_name,
    family_name = excluded.family_name, email = excluded.email, job_title = excluded.job_title,
    org_unit_path = excluded.org_unit_path, manager_external_id = excluded.manager_external_id,
    hire_date = excluded.hire_date, employment = excluded.employment, leave_first_day = excluded.leave_first_day,
    leave_last_day = excluded.leave_last_day, alias = excluded.alias, last_day = excluded.last_day,
    waits = excluded.waits, created_at = excluded.created_at, updated_at = excluded.updated_at
