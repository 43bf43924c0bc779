-- The keys of a table of the live schema, as ALTER TABLE … ADD takes them.
SELECT conname, pg_get_constraintdef(oid)
FROM pg_constraint
WHERE conrelid = %s::regclass AND contype IN ('p', 'u')
ORDER BY contype, conname
