-- Which of these names are taken in our schema, by a table or a view.
SELECT c.relname
FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND c.relname = ANY(%s)
ORDER BY c.relname
