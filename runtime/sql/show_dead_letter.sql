-- Dead letters whose id begins so.
SELECT
    "id", "lineId", "line", "mqttTopic", "topic", "partition", "offset", "receivedAt", "replayedAt",
    "reason", "detail", "payload"
FROM "DeadLetter"
WHERE starts_with("id"::text, %s)
ORDER BY "id"
LIMIT 2
