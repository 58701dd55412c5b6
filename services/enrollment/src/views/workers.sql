-- Writes workers who are there already.
update workers
set person_id = written.person_id, source_version = written.source_version, state = written.state,
    employee_number = written.employee_number, user_name = written.user_name, given_name = written.given_name,
    family_name = written.family_name, email = written.email, job_title = written.job_title,
    org_unit_path =
        -- A path of one unit without a name is another text than no path at all.
        case when no_unit then '{}' when units = '' then array[''] else string_to_array(units, E'\x1f') end,
    manager_external_id = written.manager_external_id, hire_date = written.hire_date, employment = written.employment,
    -- Whoever is deactivated may be taken back, by a client that is never told the days of the leave.
    leave_first_day =
        case when written.employment = 'inactive' then workers.leave_first_day else written.leave_first_day end,
    leave_last_day =
        case when written.employment = 'inactive' then workers.leave_last_day else written.leave_last_day end,
    alias = written.alias,
    last_day = written.last_day, waits = written.waits, created_at = written.created_at, updated_at = $23
from unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::text[], $12::text[], $13::boolean[], $14::text[], $15::date[], $16::text[], $17::date[],
            $18::date[], $19::text[], $20::date[], $21::boolean[], $22::timestamptz[])
    as written (source_id, external_id, person_id, source_version, state, employee_number, user_name, given_name, family_name,
                email, job_title, units, no_unit, manager_external_id, hire_date, employment, leave_first_day, leave_last_day,
                alias, last_day, waits, created_at)
where workers.source_id = written.source_id and workers.external_id = written.external_id
