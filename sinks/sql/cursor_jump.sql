-- Over what the log does not hold any more, or to the start of another log: what is before the new place was
-- not applied from there, its time is not known.
UPDATE "SinkCursor"
SET "nextOffset" = %(next)s, "lastRecordTime" = NULL
WHERE "topic" = %(topic)s AND "partition" = %(partition)s AND "nextOffset" = %(expected)s
