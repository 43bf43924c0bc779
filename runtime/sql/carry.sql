-- What a rebuild takes over from the live tables, because the log does not hold it.

-- name: create_reach
-- Which partition a line's records are in, and what of that partition was read.
CREATE TEMPORARY TABLE IF NOT EXISTS "RebuildLine" (
    "lineId" text PRIMARY KEY,
    "partition" integer NOT NULL
);
CREATE TEMPORARY TABLE IF NOT EXISTS "RebuildReach" (
    "partition" integer PRIMARY KEY,
    "begin" bigint NOT NULL,
    "beginTime" timestamptz NOT NULL,     -- infinity where nothing was read
    "end" bigint NOT NULL,
    "endTime" timestamptz NOT NULL        -- likewise
);
TRUNCATE "RebuildLine", "RebuildReach"

-- name: lines_of_table
-- The lines of a table, from its index on them: a step a line.
WITH RECURSIVE line AS (
    (SELECT "lineId" FROM {table} ORDER BY "lineId" LIMIT 1)
    UNION ALL
    SELECT (SELECT t."lineId" FROM {table} t WHERE t."lineId" > line."lineId" ORDER BY t."lineId" LIMIT 1)
    FROM line
    WHERE line."lineId" IS NOT NULL
)
SELECT "lineId" FROM line WHERE "lineId" IS NOT NULL

-- name: forget_older
-- Rows that an earlier attempt carried over: the live ones may have changed since.
DELETE FROM {schema}.{table} WHERE "generation" < %(generation)s

-- name: keep_older
-- Rows that began before the log does: they can't be made from it.
INSERT INTO {schema}.{table}
SELECT live.*
FROM {live}.{table} AS live
JOIN "RebuildLine" USING ("lineId")
JOIN "RebuildReach" AS reach USING ("partition")
WHERE live.{began} < reach."beginTime" OR ({inclusive} AND reach."begin" > 0 AND live.{began} = reach."beginTime")
ON CONFLICT DO NOTHING

-- name: forget_repeated
-- A stop or window that spans the beginning of the log is kept whole. From there on, the fold also made rows of the
-- rest of it, which the live tables do not have.
WITH going_on AS MATERIALIZED (
    SELECT kept."lineId", kept.{start}, kept.{end}
    FROM {schema}.{table} AS kept
    JOIN "RebuildLine" USING ("lineId")
    JOIN "RebuildReach" AS reach USING ("partition")
    WHERE kept."generation" < %(generation)s AND kept.{end} > reach."beginTime"
)
DELETE FROM {schema}.{table} AS made
USING going_on AS kept
WHERE made."lineId" = kept."lineId" AND made."generation" = %(generation)s
  AND made.{start} >= kept.{start} AND made.{start} < kept.{end} AND made.{end} <= kept.{end}
  AND NOT EXISTS (SELECT FROM {live}.{table} AS live WHERE live."id" = made."id")

-- name: close_orders
-- Open rows from before the log's beginning: no line's state has them, so no event would ever close them. They end
-- where the log begins, or with their last update if the log is empty.
UPDATE {schema}."ProductionOrder" AS kept
SET "status" = 'cancelled', "reason" = 'log_lost',
    "endTime" = CASE WHEN isfinite(reach."beginTime") THEN reach."beginTime" ELSE kept."updatedAt" END
FROM "RebuildLine" AS line JOIN "RebuildReach" AS reach USING ("partition")
WHERE line."lineId" = kept."lineId" AND kept."generation" < %(generation)s
  AND kept."status" IN ('waiting', 'running')

-- name: close_stops
-- As close_orders.
UPDATE {schema}."Downtime" AS kept
SET "endTime" = closed."at", "duration" = extract(epoch FROM closed."at" - kept."startTime"),
    "reason" = coalesce(kept."reason" || ' (log_lost)', 'log_lost')
FROM (
    SELECT open."id", greatest(
        open."startTime", CASE WHEN isfinite(reach."beginTime") THEN reach."beginTime" ELSE open."updatedAt" END
    ) AS "at"
    FROM {schema}."Downtime" AS open
    JOIN "RebuildLine" AS line USING ("lineId")
    JOIN "RebuildReach" AS reach USING ("partition")
    WHERE open."generation" < %(generation)s AND open."endTime" IS NULL
) AS closed
WHERE closed."id" = kept."id"

-- name: close_alerts
-- As close_orders.
UPDATE {schema}."Alert" AS kept
SET "status" = 'resolved', "reason" = 'log_lost',
    "resolvedAt" = CASE WHEN isfinite(reach."beginTime") THEN reach."beginTime" ELSE kept."updatedAt" END
FROM "RebuildLine" AS line JOIN "RebuildReach" AS reach USING ("partition")
WHERE line."lineId" = kept."lineId" AND kept."generation" < %(generation)s AND kept."status" = 'open'

-- name: keep_letters
-- Dead letters of no record in the log: the sinks' own, those of lost records, and of records that expired since.
INSERT INTO {schema}."DeadLetter"
SELECT live.*
FROM {live}."DeadLetter" AS live
LEFT JOIN "RebuildReach" AS reach ON reach."partition" = live."partition" AND live."topic" = %(topic)s
WHERE live."topic" <> %(topic)s
   OR live."reason" IN ('expired', 'log_lost')
   OR live."receivedAt" < reach."beginTime"
   OR (reach."begin" > 0 AND live."receivedAt" = reach."beginTime" AND live."offset" < reach."begin")
ON CONFLICT DO NOTHING

-- name: keep_late_letters
-- Those of keep_letters that can have been written since.
INSERT INTO {schema}."DeadLetter"
SELECT live.*
FROM {live}."DeadLetter" AS live
WHERE "topic" <> %(topic)s OR "reason" IN ('expired', 'log_lost')
ON CONFLICT DO NOTHING

-- name: keep_acknowledged
-- Acknowledgements of alerts are in no event yet.
UPDATE {schema}."Alert" AS kept
SET "acknowledgedAt" = live."acknowledgedAt", "acknowledgedBy" = live."acknowledgedBy"
FROM {live}."Alert" AS live
WHERE live."id" = kept."id"
  AND (live."acknowledgedAt", live."acknowledgedBy")
      IS DISTINCT FROM (kept."acknowledgedAt", kept."acknowledgedBy")

-- name: keep_replayed
UPDATE {schema}."DeadLetter" AS kept
SET "replayedAt" = live."replayedAt"
FROM {live}."DeadLetter" AS live
WHERE live."id" = kept."id" AND live."replayedAt" IS DISTINCT FROM kept."replayedAt"
