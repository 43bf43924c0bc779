SELECT "topic", "partition", "nextOffset"
FROM "SinkCursor"
JOIN unnest(%(topics)s::text[], %(partitions)s::integer[]) AS assigned (topic, partition)
    USING ("topic", "partition")
