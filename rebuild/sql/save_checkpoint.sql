INSERT INTO {schema}."RebuildPartition" AS kept
    ("partition", "begin", "beginTime", "nextOffset", "lastTime", "states", "refused")
VALUES (%(partition)s, %(begin)s, %(begin_time)s, %(next_offset)s, %(last_time)s, %(states)s, %(refused)s)
ON CONFLICT ("partition") DO UPDATE
SET "beginTime" = coalesce(kept."beginTime", EXCLUDED."beginTime"), "nextOffset" = EXCLUDED."nextOffset",
    "lastTime" = EXCLUDED."lastTime", "states" = EXCLUDED."states",
    "refused" = kept."refused" + EXCLUDED."refused"
