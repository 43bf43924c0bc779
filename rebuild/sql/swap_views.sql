-- What reads these tables, wherever it stands: its kind (v: view, m: materialized view, f: function with a body
-- that is SQL, not text), its name, and, but for materialized views, what makes it anew in place. That is its
-- text as of now; names in it are resolved by the search path when it is said: so it follows the swap.
WITH moved AS (
    SELECT oid
    FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relname = ANY (%(tables)s)
)
SELECT v.relkind::text AS kind, v.oid::regclass::text AS name,
    CASE v.relkind WHEN 'v' THEN format('CREATE OR REPLACE VIEW %%s%%s AS %%s', v.oid::regclass,
        (SELECT ' WITH (' || string_agg(format('%%I = %%L', option_name, option_value), ', ') || ')'
         FROM pg_options_to_table(v.reloptions)),
        pg_get_viewdef(v.oid))
    END AS anew
FROM pg_class v
WHERE v.relkind IN ('v', 'm')
  AND EXISTS (
    SELECT 1
    FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    JOIN moved ON d.refclassid = 'pg_class'::regclass AND d.refobjid = moved.oid
    WHERE r.ev_class = v.oid
  )
UNION ALL
SELECT 'f', p.oid::regprocedure::text, pg_get_functiondef(p.oid)
FROM pg_proc p
WHERE EXISTS (
    SELECT 1
    FROM pg_depend d
    JOIN moved ON d.refclassid = 'pg_class'::regclass AND d.refobjid = moved.oid
    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
  )
ORDER BY kind, name
