-- An order of a line by its number (the newest: the line may have forgotten older ones), or the running one.
SELECT
    "lineId" AS "line", "orderNumber" AS "number", "productType" AS "product", "produced", "quantity",
    "defects", "status", "priority", "operator", "startTime" AS "started", "endTime" AS "ended",
    "versionTime", "versionOffset"
FROM "ProductionOrder"
WHERE "lineId" = %(line)s
  AND CASE WHEN %(number)s::text IS NULL THEN "status" = 'running' ELSE "orderNumber" = %(number)s END
ORDER BY "createdAt" DESC, "id"
LIMIT 1
