SELECT pg_advisory_unlock(27761, %s)
