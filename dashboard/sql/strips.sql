-- The stops of every line that reach into the time since a moment; a day is the longest that is looked for.
SELECT "lineId", "line", "startTime", "endTime", "duration", "category", "reason"
FROM "Downtime"
WHERE "lineId" = ANY (%(lines)s)
    AND "startTime" > %(since)s - interval '24 hours'
    AND ("endTime" IS NULL OR "endTime" > %(since)s)
ORDER BY "lineId", "startTime"
