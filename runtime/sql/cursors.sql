-- How far the rows have come in each partition: "SinkCursor".

-- name: begin
-- A partition from which nothing has been written yet is at the start of its log.
INSERT INTO "SinkCursor" ("topic", "partition", "nextOffset")
SELECT topic, partition, 0
FROM unnest(%(topics)s::text[], %(partitions)s::integer[]) AS assigned (topic, partition)
ON CONFLICT DO NOTHING

-- name: read
SELECT "topic", "partition", "nextOffset"
FROM "SinkCursor"
JOIN unnest(%(topics)s::text[], %(partitions)s::integer[]) AS assigned (topic, partition)
    USING ("topic", "partition")

-- name: times
-- Times in ms of the last applied records, where one is known.
SELECT "topic", "partition", (extract(epoch FROM "lastRecordTime") * 1000)::bigint
FROM "SinkCursor"
JOIN unnest(%(topics)s::text[], %(partitions)s::integer[]) AS assigned (topic, partition)
    USING ("topic", "partition")
WHERE "lastRecordTime" IS NOT NULL

-- name: lock
-- The check of a check-and-set: a worker that finds another value here writes nothing. Locks the rows until the
-- commit, always in the same order: two workers that want the same partitions can't wait for each other.
SELECT "topic", "partition"
FROM "SinkCursor"
JOIN unnest(%(topics)s::text[], %(partitions)s::integer[], %(expected)s::bigint[])
    AS batch (topic, partition, expected) USING ("topic", "partition")
WHERE "nextOffset" = expected
ORDER BY "topic", "partition"
FOR NO KEY UPDATE OF "SinkCursor"

-- name: move
-- The set: of rows that are locked.
UPDATE "SinkCursor" AS moved
SET "nextOffset" = applied.next, "lastRecordTime" = to_timestamp(applied.time / 1000.0)
FROM unnest(%(topics)s::text[], %(partitions)s::integer[], %(next)s::bigint[], %(times)s::bigint[])
    AS applied (topic, partition, next, time)
WHERE moved."topic" = applied.topic AND moved."partition" = applied.partition

-- name: jump
-- Move over records that the log no longer holds, or to the start of another log. The record before the new position
-- was not applied, so its time is not known.
UPDATE "SinkCursor"
SET "nextOffset" = %(next)s, "lastRecordTime" = NULL
WHERE "topic" = %(topic)s AND "partition" = %(partition)s AND "nextOffset" = %(expected)s

-- name: all
-- How far the rows have come.
SELECT "topic", "partition", "nextOffset" FROM "SinkCursor" ORDER BY "topic", "partition"
