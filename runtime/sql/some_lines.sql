-- Lines that have orders, as every line has that counted something: the index is skipped through.
WITH RECURSIVE "known" AS (
    (SELECT "lineId" FROM "ProductionOrder" ORDER BY "lineId" LIMIT 1)
    UNION ALL
    SELECT (SELECT o."lineId" FROM "ProductionOrder" o WHERE o."lineId" > k."lineId" ORDER BY o."lineId" LIMIT 1)
    FROM "known" k
    WHERE k."lineId" IS NOT NULL
)
SELECT "lineId" AS "line" FROM "known" WHERE "lineId" IS NOT NULL LIMIT 200
