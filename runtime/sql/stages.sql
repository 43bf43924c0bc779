-- How far each stage of the pipeline has come: "StageProgress".

-- name: note
-- Note how far stages have come. A stage moved if its position is another one, or nothing is left to do (idle).
-- A change that nobody watched (the sinks did not run) may be as old as the newest record.
INSERT INTO "StageProgress" AS known ("stage", "partition", "position", "movedAt", "seenAt", "logTime")
SELECT stage, partition, position, least(now(), log_time), now(), log_time
FROM (
    SELECT stage, partition, position, to_timestamp(time / 1000.0) AS log_time
    FROM unnest(
        %(stages)s::text[], %(partitions)s::integer[], %(positions)s::bigint[], %(times)s::bigint[]
    ) AS given (stage, partition, position, time)
) AS seen
ORDER BY stage, partition
ON CONFLICT ("stage", "partition") DO UPDATE SET
    "position" = excluded."position",
    "movedAt" = CASE
        WHEN (excluded."stage", excluded."partition") IN (
            SELECT * FROM unnest(%(idle_stages)s::text[], %(idle_partitions)s::integer[])
        ) THEN now()
        WHEN excluded."position" IS NOT DISTINCT FROM known."position" THEN known."movedAt"
        WHEN known."seenAt" > now() - interval '15 seconds' THEN now()
        ELSE excluded."movedAt"
    END,
    "seenAt" = excluded."seenAt",
    "logTime" = excluded."logTime"

-- name: all
-- How far each stage of the pipeline has come, and when it last moved.
SELECT "stage", "movedAt", "seenAt", "logTime" FROM "StageProgress"

-- name: ages
-- How long ago a stage was last seen to move, and when the sinks last noted anything.
SELECT "stage", extract(epoch FROM now() - min("movedAt"))::float8, extract(epoch FROM now() - max("seenAt"))::float8
FROM "StageProgress"
GROUP BY "stage"
