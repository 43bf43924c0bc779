-- One rebuild at a time, as long as its session lasts; the numbers are "lp" and the rebuild's own.
SELECT pg_try_advisory_lock(27760, 2)
