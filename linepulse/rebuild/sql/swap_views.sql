-- What reads these tables, wherever it stands: its kind, its name, its options, and its text as of now. Names
-- in the text are resolved by the search path when it is said again: that is how a view follows the swap.
SELECT v.relkind::text, v.oid::regclass::text,
    (SELECT string_agg(format('%%I = %%L', option_name, option_value), ', ')
     FROM pg_options_to_table(v.reloptions)),
    pg_get_viewdef(v.oid)
FROM pg_class v
WHERE v.relkind IN ('v', 'm')
  AND EXISTS (
    SELECT 1
    FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    JOIN pg_class t ON d.refclassid = 'pg_class'::regclass AND t.oid = d.refobjid
    WHERE r.ev_class = v.oid
      AND t.relnamespace = current_schema()::regnamespace
      AND t.relname = ANY (%(tables)s)
  )
ORDER BY v.oid
