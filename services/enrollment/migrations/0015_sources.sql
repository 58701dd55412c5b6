-- A batch knows its source before it writes, and no source is ever removed: to look it up again for each row is no use.
alter table workers drop constraint workers_source_id_fkey;
alter table sync_pending drop constraint sync_pending_source_id_fkey;
