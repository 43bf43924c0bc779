-- Times in ms of the last applied records, where one is known.
SELECT "topic", "partition", (extract(epoch FROM "lastRecordTime") * 1000)::bigint
FROM "SinkCursor"
JOIN unnest(%(topics)s::text[], %(partitions)s::integer[]) AS assigned (topic, partition)
    USING ("topic", "partition")
WHERE "lastRecordTime" IS NOT NULL
