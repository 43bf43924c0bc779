-- A line's latest stops; stops do not overlap, so an open one is the latest.
SELECT "line", "startTime", "endTime", "duration", "category", "reason"
FROM "Downtime"
WHERE "lineId" = %(line)s
ORDER BY "startTime" DESC
LIMIT %(limit)s
