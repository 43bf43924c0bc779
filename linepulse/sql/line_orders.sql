-- An order of a line by its number, or the line's running order.
SELECT
    "lineId" AS "line", "orderNumber" AS "number", "productType" AS "product", "produced", "quantity",
    "defects", "status", "priority", "operator", "startTime" AS "started", "endTime" AS "ended",
    "versionTime", "versionOffset"
FROM "ProductionOrder"
WHERE "lineId" = %(line)s
  AND CASE WHEN %(number)s::text IS NULL THEN "status" = 'running' ELSE "orderNumber" = %(number)s END
