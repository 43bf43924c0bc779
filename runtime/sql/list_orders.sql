-- The newest orders; those that run or wait first.
SELECT
    "lineId" AS "line",
    "orderNumber" AS "number",
    "productType" AS "product",
    "produced",
    "quantity",
    floor(100.0 * "produced" / "quantity")::bigint AS "percent",
    "status",
    "priority",
    "startTime" AS "started",
    "endTime" AS "ended"
FROM "ProductionOrder"
WHERE (%s::text IS NULL OR "lineId" = %s)
  AND (%s::text IS NULL OR "status" = %s)
ORDER BY "status" = 'running' DESC, "status" = 'waiting' DESC, "createdAt" DESC, "id"
LIMIT %s
