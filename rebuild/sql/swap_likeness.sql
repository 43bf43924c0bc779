-- What makes a table that goes live belong to whom, be open to whom, and say of itself what the live one does:
-- the statements, in order.
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
