-- The numbers are "lp" and the rebuild's own; the schema's is 1.
SELECT pg_try_advisory_lock(27760, 2)
