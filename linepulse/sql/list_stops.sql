-- The newest stops; those that last first.
SELECT
    "id",
    "lineId" AS "line",
    "category",
    to_char("startTime", 'YYYY-MM-DD HH24:MI:SS') AS "start",
    to_char("endTime", 'YYYY-MM-DD HH24:MI:SS') AS "end",
    "duration" AS "seconds",
    "reason"
FROM "Downtime"
WHERE (%s::text IS NULL OR "lineId" = %s)
  AND (%s::text IS NULL OR "category" = %s)
ORDER BY "endTime" IS NULL DESC, "startTime" DESC, "id"
LIMIT %s
