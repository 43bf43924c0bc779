-- The newest stops; those that last first.
SELECT
    "id",
    "lineId" AS "line",
    "category",
    "startTime" AS "start",
    "endTime" AS "end",
    "duration" AS "seconds",
    "reason"
FROM "Downtime"
WHERE (%s::text IS NULL OR "lineId" = %s)
  AND (%s::text IS NULL OR "category" = %s)
ORDER BY "endTime" IS NULL DESC, "startTime" DESC, "id"
LIMIT %s
