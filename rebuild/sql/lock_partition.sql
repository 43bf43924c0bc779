-- Held by the session: the numbers are "lq" and the partition's own.
SELECT pg_advisory_lock(27761, %s)
