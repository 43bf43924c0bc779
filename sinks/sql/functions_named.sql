-- Which of these functions of a period there are in our schema.
SELECT p.proname
FROM pg_proc p
WHERE p.pronamespace = current_schema()::regnamespace
  AND p.proname = ANY(%s)
  AND p.oid = to_regprocedure(format('%%I(timestamptz, timestamptz)', p.proname))
