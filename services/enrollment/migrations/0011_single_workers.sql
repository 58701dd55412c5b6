-- Identity providers look a worker up by the user name or their own identifier before each change, and a user name is taken only
-- once. Sources that have neither pay nothing.
create index workers_by_user_name on workers (source_id, lower(user_name)) where lower(user_name) <> '';
create index workers_by_alias on workers (source_id, alias) where alias <> '';
