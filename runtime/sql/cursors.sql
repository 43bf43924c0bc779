-- How far the rows have come.
SELECT "topic", "partition", "nextOffset" FROM "SinkCursor" ORDER BY "topic", "partition"
