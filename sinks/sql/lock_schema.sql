-- One migration at a time; the number is "lp" and the schema's own.
SELECT pg_advisory_xact_lock(27760, 1)
