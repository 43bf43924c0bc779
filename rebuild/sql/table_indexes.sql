-- The indexes of a table of the live schema that belong to no key: what follows CREATE INDEX … ON ….
SELECT c.relname, split_part(pg_get_indexdef(i.indexrelid), ' USING ', 1) LIKE 'CREATE UNIQUE %%',
    'USING ' || split_part(pg_get_indexdef(i.indexrelid), ' USING ', 2)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = %s::regclass
  AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)
ORDER BY c.relname
