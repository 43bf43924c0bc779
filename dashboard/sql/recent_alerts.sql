-- The plant's latest alerts, the open ones first.
SELECT latest.*
FROM unnest(%(lines)s::text[]) AS known ("lineId")
CROSS JOIN LATERAL (
    SELECT "line", "type", "severity", "message", "value", "threshold", "status", "startedAt", "resolvedAt"
    FROM "Alert" a
    WHERE a."lineId" = known."lineId"
    ORDER BY a."startedAt" DESC
    LIMIT %(limit)s
) latest
ORDER BY latest."status" <> 'open', latest."startedAt" DESC
LIMIT %(limit)s
