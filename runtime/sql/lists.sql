-- What the command line lists.

-- name: orders
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

-- name: stops
-- The newest stops; open ones first.
SELECT
    "id",
    "lineId" AS "line",
    "category",
    "startTime" AS "start",
    "endTime" AS "end",
    "duration" AS "seconds",
    "reason"
FROM "Downtime"
WHERE (%s::text IS NULL OR "lineId" = %s)
  AND (%s::text IS NULL OR "category" = %s)
ORDER BY "endTime" IS NULL DESC, "startTime" DESC, "id"
LIMIT %s

-- name: dead_letters
-- The newest dead letters.
SELECT
    "id",
    "lineId" AS "line",
    "receivedAt" AS "received",
    coalesce("mqttTopic", "topic") AS "topic",
    "reason",
    "detail",
    length("payload") AS "bytes"
FROM "DeadLetter"
WHERE (%s::text IS NULL OR "lineId" = %s)
  AND (%s::text IS NULL OR "reason" = %s)
ORDER BY "receivedAt" DESC, "id"
LIMIT %s

-- name: dead_letter
-- Dead letters whose id begins with a prefix.
SELECT
    "id", "lineId", "line", "mqttTopic", "topic", "partition", "offset", "receivedAt", "replayedAt",
    "reason", "detail", "payload"
FROM "DeadLetter"
WHERE starts_with("id"::text, %s)
ORDER BY "id"
LIMIT 2
