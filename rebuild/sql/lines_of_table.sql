-- The lines of a table, from its index on them: a step a line.
WITH RECURSIVE line AS (
    (SELECT "lineId" FROM {table} ORDER BY "lineId" LIMIT 1)
    UNION ALL
    SELECT (SELECT t."lineId" FROM {table} t WHERE t."lineId" > line."lineId" ORDER BY t."lineId" LIMIT 1)
    FROM line
    WHERE line."lineId" IS NOT NULL
)
SELECT "lineId" FROM line WHERE "lineId" IS NOT NULL
