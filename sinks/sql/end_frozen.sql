-- A worker that froze in the middle of a COPY holds its locks for as long as it is frozen: no server-side
-- timeout ends a COPY that waits for its client. Its session is one that has been waiting for too long.
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE datname = current_database()
  AND usename = current_user
  AND application_name = %(application)s
  AND state = 'active'
  AND wait_event = 'ClientRead'
  AND state_change < now() - %(seconds)s * interval '1 second'
