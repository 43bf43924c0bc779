-- A line's open alerts, then its latest resolved ones.
(
    SELECT "line", "type", "severity", "message", "value", "threshold", "status", "startedAt", "resolvedAt"
    FROM "Alert"
    WHERE "lineId" = %(line)s AND "status" = 'open'
    ORDER BY "startedAt" DESC
)
UNION ALL
(
    SELECT "line", "type", "severity", "message", "value", "threshold", "status", "startedAt", "resolvedAt"
    FROM "Alert"
    WHERE "lineId" = %(line)s AND "status" <> 'open'
    ORDER BY "startedAt" DESC
    LIMIT %(limit)s
)
