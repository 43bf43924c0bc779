-- The database and its schema: what there is of it, and who may change it.

-- name: lock
-- One migration at a time; the number is "lp" and the schema's own.
SELECT pg_advisory_xact_lock(27760, 1)

-- name: revision
SELECT version_num FROM linepulse_schema

-- name: tables_named
-- Which of these names are taken in our schema, by a table or a view.
SELECT c.relname
FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND c.relname = ANY(%s)
ORDER BY c.relname

-- name: functions_named
-- Which of these functions of a period there are in our schema.
SELECT p.proname
FROM pg_proc p
WHERE p.pronamespace = current_schema()::regnamespace
  AND p.proname = ANY(%s)
  AND p.oid = to_regprocedure(format('%%I(timestamptz, timestamptz)', p.proname))

-- name: database_named
SELECT 1 FROM pg_database WHERE datname = %s

-- name: create_database
CREATE DATABASE {database}
