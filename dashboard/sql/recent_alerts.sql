-- The plant's open alerts, then its latest resolved ones.
SELECT latest.*
FROM unnest(%(lines)s::text[]) AS known ("lineId")
CROSS JOIN LATERAL (
    SELECT "line", "type", "severity", "message", "value", "threshold", "status", "startedAt", "resolvedAt"
    FROM "Alert" a
    WHERE a."lineId" = known."lineId" AND a."status" <> 'open'
    ORDER BY a."startedAt" DESC
    LIMIT %(limit)s
) latest
UNION ALL
SELECT "line", "type", "severity", "message", "value", "threshold", "status", "startedAt", "resolvedAt"
FROM "Alert"
WHERE "status" = 'open'
ORDER BY "status", "startedAt" DESC
LIMIT %(limit)s
