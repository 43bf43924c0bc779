-- What a rebuilt generation would change.

-- name: columns
SELECT attname
FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
ORDER BY attnum

-- name: rows
-- Rows by id, in both directions, and by content without the columns that say which generation made them. Live rows
-- of records behind those that were read are no difference.
SELECT line, day, what, count(*)
FROM (
    SELECT
        coalesce(live."lineId", made."lineId") AS line,
        (coalesce(live.{time}, made.{time}) AT TIME ZONE %(zone)s)::date AS day,
        CASE
            WHEN live."id" IS NULL THEN 'added'
            WHEN made."id" IS NULL THEN 'removed'
            WHEN ({live_columns}) IS NOT DISTINCT FROM ({made_columns}) THEN 'same'
            ELSE 'changed'
        END AS what
    FROM {live}.{table} AS live
    FULL JOIN {schema}.{table} AS made ON made."id" = live."id"
    LEFT JOIN "RebuildLine" AS line ON line."lineId" = live."lineId"
    LEFT JOIN "RebuildReach" AS reach ON reach."partition" = {partition}
    WHERE NOT coalesce({beyond}, false)
) AS compared
GROUP BY line, day, what
ORDER BY line, day, what
