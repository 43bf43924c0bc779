-- The rebuilt tables take the place of the live ones.

-- name: differences
-- Columns and indexes that a table has in one of the two schemas only: there must be none.
WITH part AS (
    SELECT c.relnamespace, c.relname AS "table",
        format('column %%I %%s%%s', a.attname, format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END) AS what
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p')
    UNION ALL
    SELECT c.relnamespace, c.relname, regexp_replace(pg_get_indexdef(i.indexrelid), ' ON .* USING ', ' USING ')
    FROM pg_class c
    JOIN pg_index i ON i.indrelid = c.oid
), live AS (
    SELECT "table", what FROM part
    WHERE relnamespace = current_schema()::regnamespace AND "table" = ANY (%(tables)s)
), shadow AS (
    SELECT "table", what FROM part
    WHERE relnamespace = %(shadow)s::regnamespace AND "table" = ANY (%(tables)s)
)
(SELECT format('%%I: only the live one has %%s', "table", what) FROM live
 WHERE ("table", what) NOT IN (SELECT "table", what FROM shadow))
UNION ALL
(SELECT format('%%I: the live one lacks %%s', "table", what) FROM shadow
 WHERE ("table", what) NOT IN (SELECT "table", what FROM live))
ORDER BY 1

-- name: likeness
-- The statements, in order, that give a table that goes live the owner, the privileges and the comments of the live
-- one.
WITH pair AS (
    SELECT shadow.oid::regclass::text AS name, live.oid AS live,
        live.relowner AS owner, shadow.relowner AS former,
        coalesce(live.relacl, acldefault('r', live.relowner)) AS acl, shadow.relacl AS former_acl
    FROM pg_class live
    JOIN pg_class shadow ON shadow.relname = live.relname
    WHERE live.relnamespace = current_schema()::regnamespace
      AND shadow.relnamespace = %(shadow)s::regnamespace
      AND live.relname = ANY (%(tables)s)
), said AS (
    SELECT 1 AS turn, format('ALTER TABLE %%s OWNER TO %%I', name, pg_get_userbyid(owner)) AS statement
    FROM pair
    WHERE owner <> former
    UNION ALL
    SELECT DISTINCT 2, format('REVOKE ALL ON %%s FROM %%s', name, who)
    FROM pair, aclexplode(former_acl) AS given,
        LATERAL (SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
            AS named (who)
    UNION ALL
    SELECT 3, format('GRANT %%s ON %%s TO %%s%%s', privilege_type, name, who,
        CASE WHEN is_grantable AND grantee <> owner THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pair, aclexplode(acl) AS given,
        LATERAL (SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
            AS named (who)
    UNION ALL
    SELECT 3, format('GRANT %%s (%%I) ON %%s TO %%s%%s', privilege_type, attname, name, who,
        CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pair
    JOIN pg_attribute ON attrelid = live, aclexplode(attacl) AS given,
        LATERAL (SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
            AS named (who)
    UNION ALL
    SELECT 4, format('COMMENT ON TABLE %%s IS %%L', name, description)
    FROM pair
    JOIN pg_description ON objoid = live AND classoid = 'pg_class'::regclass AND objsubid = 0
    UNION ALL
    SELECT 4, format('COMMENT ON COLUMN %%s.%%I IS %%L', name, attname, description)
    FROM pair
    JOIN pg_attribute ON attrelid = live AND attnum > 0
    JOIN pg_description ON objoid = live AND classoid = 'pg_class'::regclass AND objsubid = attnum
)
SELECT statement FROM said ORDER BY turn, statement

-- name: dependents
-- What reads these tables, in any schema: its kind (v: view, m: materialized view, f: function with a body that is
-- SQL, not text), its name, and, except for materialized views, the statement that makes it anew in place. That is its
-- present text; names in it are resolved by the search path when it is run, so it follows the swap.
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

-- name: holders
-- The sessions that hold these tables now, or wait for one of them; the longest first.
SELECT a.pid, a.application_name, a.usename, extract(epoch FROM now() - a.xact_start)::integer
FROM pg_locks l
JOIN pg_class c ON c.oid = l.relation AND c.relname = ANY (%(tables)s)
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND c.relnamespace = current_schema()::regnamespace
  AND a.pid <> pg_backend_pid()
GROUP BY a.pid, a.application_name, a.usename, a.xact_start
ORDER BY a.xact_start
LIMIT 3
