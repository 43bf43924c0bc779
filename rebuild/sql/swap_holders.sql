-- Who holds these tables now, or waits for one of them: who has been at it longest comes first.
SELECT a.pid, a.application_name, a.usename, extract(epoch FROM now() - a.xact_start)::integer
FROM pg_locks l
JOIN pg_class c ON c.oid = l.relation AND c.relname = ANY (%(tables)s)
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND c.relnamespace = current_schema()::regnamespace
  AND a.pid <> pg_backend_pid()
GROUP BY a.pid, a.application_name, a.usename, a.xact_start
ORDER BY a.xact_start
LIMIT 3
