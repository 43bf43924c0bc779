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
