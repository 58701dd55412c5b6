-- The statements that put the new tables in the place of the live ones, in the order in which they have to run.
with pair as (
    select name, live.oid as live, fresh.oid as fresh, live.relowner as owner, live.relacl as acl
    from unnest($2::text[]) as name
    join pg_class as live on live.relname = name and live.relnamespace = $1::regnamespace
    join pg_class as fresh on fresh.relname = name || $3 and fresh.relnamespace = $1::regnamespace
),
foreign_key as (
    select conrelid::regclass::text as relation, conname as name, pg_get_constraintdef(oid) as definition
    from pg_constraint
    where contype = 'f' and (conrelid in (select live from pair) or confrelid in (select live from pair))
),
-- The same index has another name on the new table: they are the same if they say the same.
same as (
    select pair.live, pair.fresh, indrelid, class.relname as name, definition,
           row_number() over (partition by indrelid, indisunique, definition order by class.relname) as nth, indisunique
    from pair
    join pg_index on indrelid in (pair.live, pair.fresh)
    join pg_class as class on class.oid = indexrelid
    cross join lateral (select substring(pg_get_indexdef(indexrelid) from ' USING .*') as definition) as said
),
-- A view keeps looking at the table it was made for, whatever that is called.
looking as (
    select distinct rewrite.ev_class as view
    from pair
    join pg_depend as depend on depend.refobjid = pair.live and depend.classid = 'pg_rewrite'::regclass
    join pg_rewrite as rewrite on rewrite.oid = depend.objid
    join pg_class as class on class.oid = rewrite.ev_class and class.relkind = 'v'
)
select statement
from (
    select 1, format('alter table %s drop constraint %I', relation, name) from foreign_key
    union all
    select 2, format('alter table %I.%I rename to %I', $1, name, name || $4) from pair
    union all
    select 3, format('alter table %I.%I rename to %I', $1, name || $3, name) from pair
    union all
    select 4, format('create or replace view %s as %s', view::regclass, pg_get_viewdef(view)) from looking
    union all
    select 5, format('drop table %I.%I', $1, name || $4) from pair
    union all
    select 6, format('alter index %I.%I rename to %I', $1, fresh.name, live.name)
    from same as live
    join same as fresh using (live, fresh, definition, nth, indisunique)
    where live.indrelid = live and fresh.indrelid = fresh
    union all
    select 7, format('grant %s on %I.%I to %s%s', privilege_type, $1, name,
                     case when grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
                     case when is_grantable then ' with grant option' else '' end)
    from pair cross join lateral aclexplode(acl)
    where grantee <> owner
    union all
    select 8, format('alter table %s add constraint %I %s', relation, name, definition) from foreign_key
) as plan (step, statement)
order by step
