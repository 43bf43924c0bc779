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
