-- Check-and-set: whoever finds another value here writes nothing. Holds the row until the commit.
UPDATE "SinkCursor"
SET "nextOffset" = %(next)s, "lastRecordTime" = to_timestamp(%(time)s / 1000.0)
WHERE "topic" = %(topic)s AND "partition" = %(partition)s AND "nextOffset" = %(expected)s
