-- The latest stops of a line, or the one that is meant; at most those that a person may still speak of.
SELECT
    "id"::text AS "id", "lineId" AS "line", "category", "startTime" AS "start", "endTime" AS "end",
    "duration" AS "seconds", "reason", "versionTime", "versionOffset"
FROM "Downtime"
WHERE "lineId" = %(line)s
  AND (%(stop)s::text IS NULL OR "id"::text = %(stop)s)
  AND (%(at)s::timestamptz IS NULL
       OR ("startTime" <= %(at)s AND ("endTime" IS NULL OR %(at)s < "endTime")))
ORDER BY "startTime" DESC
LIMIT 101
