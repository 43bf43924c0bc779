-- The plant's latest stops, the open ones first.
SELECT latest.*
FROM unnest(%(lines)s::text[]) AS known ("lineId")
CROSS JOIN LATERAL (
    SELECT "line", "startTime", "endTime", "duration", "category", "reason"
    FROM "Downtime" d
    WHERE d."lineId" = known."lineId"
    ORDER BY d."startTime" DESC
    LIMIT %(limit)s
) latest
ORDER BY latest."endTime" IS NOT NULL, latest."startTime" DESC
LIMIT %(limit)s
