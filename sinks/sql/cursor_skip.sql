-- Retention deleted what lies between; the time of the last applied record stays.
UPDATE "SinkCursor"
SET "nextOffset" = %(next)s
WHERE "topic" = %(topic)s AND "partition" = %(partition)s AND "nextOffset" = %(expected)s
