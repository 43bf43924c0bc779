-- The newest orders; those that run or wait first.
SELECT
    "lineId" AS "line",
    "orderNumber" AS "number",
    "productType" AS "product",
    "produced" || '/' || "quantity" AS "produced",
    floor(100.0 * "produced" / "quantity") || '%%' AS "done",
    "status",
    "priority",
    to_char("startTime", 'YYYY-MM-DD HH24:MI') AS "started",
    to_char("endTime", 'YYYY-MM-DD HH24:MI') AS "ended"
FROM "ProductionOrder"
WHERE (%s::text IS NULL OR "lineId" = %s)
  AND (%s::text IS NULL OR "status" = %s)
ORDER BY "status" = 'running' DESC, "status" = 'waiting' DESC, "createdAt" DESC, "id"
LIMIT %s
