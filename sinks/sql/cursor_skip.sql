-- Retention deleted what lies between: the record before the cursor was never applied, its time is not known.
UPDATE "SinkCursor"
SET "nextOffset" = %(next)s, "lastRecordTime" = NULL
WHERE "topic" = %(topic)s AND "partition" = %(partition)s AND "nextOffset" = %(expected)s
