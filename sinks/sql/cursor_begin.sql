-- A partition that nobody has written from yet stands at the start of its log.
INSERT INTO "SinkCursor" ("topic", "partition", "nextOffset")
SELECT topic, partition, 0
FROM unnest(%(topics)s::text[], %(partitions)s::integer[]) AS assigned (topic, partition)
ON CONFLICT DO NOTHING
