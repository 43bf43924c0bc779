-- What became of a message that a person sent.

-- name: order
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

-- name: stops
-- The latest stops of a line, or the one with an id; at most those that may still be given a reason.
SELECT
    "id"::text AS "id", "lineId" AS "line", "category", "startTime" AS "start", "endTime" AS "end",
    "duration" AS "seconds", "reason", "versionTime", "versionOffset"
FROM "Downtime"
WHERE "lineId" = %(line)s
  AND (%(stop)s::text IS NULL OR "id"::text = %(stop)s)
  AND (%(at)s::timestamptz IS NULL
       OR ("startTime" <= %(at)s AND ("endTime" IS NULL OR %(at)s < "endTime")))
ORDER BY "startTime" DESC
LIMIT 101

-- name: letters
-- Dead letters of a message; those of earlier messages are left out by their ids.
SELECT "id"::text AS "id", "reason", "detail"
FROM "DeadLetter"
WHERE ("receivedAt" >= %(since)s OR %(since)s::timestamptz IS NULL)
  AND "lineId" = %(line)s
  AND "payload" = %(payload)s
  AND "id"::text <> ALL (%(before)s)
ORDER BY "receivedAt" DESC
LIMIT 1

-- name: newest_letter
-- When the newest dead letter was received: the log's time never runs backwards.
SELECT max("receivedAt") AS "since" FROM "DeadLetter"

-- name: line_heard
-- Whether any table has rows of a line.
SELECT
    EXISTS (SELECT FROM "ProductionOrder" WHERE "lineId" = %(line)s)
    OR EXISTS (SELECT FROM "Downtime" WHERE "lineId" = %(line)s)
    OR EXISTS (SELECT FROM "KPISnapshot" WHERE "lineId" = %(line)s)
    OR EXISTS (SELECT FROM "ProductionData" WHERE "lineId" = %(line)s) AS "heard"

-- name: some_lines
-- Lines that have orders, as every line has that counted something: the index is skipped through.
WITH RECURSIVE "known" AS (
    (SELECT "lineId" FROM "ProductionOrder" ORDER BY "lineId" LIMIT 1)
    UNION ALL
    SELECT (SELECT o."lineId" FROM "ProductionOrder" o WHERE o."lineId" > k."lineId" ORDER BY o."lineId" LIMIT 1)
    FROM "known" k
    WHERE k."lineId" IS NOT NULL
)
SELECT "lineId" AS "line" FROM "known" WHERE "lineId" IS NOT NULL LIMIT 200
