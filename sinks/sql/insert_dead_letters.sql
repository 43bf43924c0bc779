-- Like insert_new, but the payload comes as base64.
INSERT INTO "DeadLetter" (
    "id", "lineId", "line", "topic", "partition", "offset",
    "mqttTopic", "payload", "reason", "detail", "receivedAt"
)
SELECT
    "id", "lineId", "line", "topic", "partition", "offset",
    "mqttTopic", decode("payload", 'base64'), "reason", "detail", "receivedAt"
FROM json_to_recordset(%s::json) AS letter (
    "id" uuid, "lineId" text, "line" text, "topic" text, "partition" integer, "offset" bigint,
    "mqttTopic" text, "payload" text, "reason" text, "detail" text, "receivedAt" timestamptz(3)
)
ON CONFLICT ("id") DO NOTHING
