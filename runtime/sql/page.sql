-- What the page reads.

-- name: clock
-- The present by the clock that all ages are counted by.
SELECT now() AS "now"

-- name: overview
-- A row a line: its latest sample, its latest stop if that is open, its latest started order, its shift so
-- far, its open alerts. Every part is one step into an index, whatever the length of the history.
-- A line that was silent for long is left out, unless it has an open stop or a waiting order.
-- Lines that no longer publish cost nothing: the lines are found through the sums of the latest windows (a machine's
-- clock may be `reach` behind), the open stops and the waiting orders.
-- Anybody may publish under any name: of very many lines, `first` (those that people named or look at) are
-- shown, then those that have been there longest, and made most. "lines" is the number of all.
-- A line's latest row is asked for by both columns of the index, and by a range: for an equal "lineId" the planner
-- may take the index on the time alone, and read the rows of all lines since. It does so for new lines, of which the
-- statistics hold nothing yet.
WITH known AS (
    SELECT part."lineId", min(part."hour") AS "since", sum(part."pieces") AS "pieces"
    FROM (
        SELECT "lineId", "hour", "pieces" FROM "KPISum" WHERE "hour" > %(gone)s - %(reach)s - interval '1 hour'
        UNION ALL SELECT "lineId", NULL, 0 FROM "Downtime" WHERE "endTime" IS NULL
        UNION ALL SELECT "lineId", NULL, 0 FROM "ProductionOrder" WHERE "status" = 'waiting'
    ) part
    GROUP BY part."lineId"
),
present AS MATERIALIZED (
    SELECT known."lineId", count(*) OVER () AS "lines"
    FROM known
    LEFT JOIN LATERAL (
        SELECT d."receivedAt" FROM "ProductionData" d
        WHERE d."lineId" >= known."lineId" AND d."lineId" <= known."lineId"
        ORDER BY d."lineId" DESC, d."timestamp" DESC LIMIT 1
    ) sample ON true
    LEFT JOIN LATERAL (
        SELECT d."endTime" IS NULL AS "open" FROM "Downtime" d
        WHERE d."lineId" >= known."lineId" AND d."lineId" <= known."lineId"
        ORDER BY d."lineId" DESC, d."startTime" DESC LIMIT 1
    ) stop ON true
    LEFT JOIN LATERAL (
        SELECT k."updatedAt" FROM "KPISnapshot" k
        WHERE k."lineId" >= known."lineId" AND k."lineId" <= known."lineId"
        ORDER BY k."lineId" DESC, k."windowStart" DESC LIMIT 1
    ) latest ON true
    WHERE stop."open" OR coalesce(greatest(sample."receivedAt", latest."updatedAt") > %(gone)s, true)
    ORDER BY known."lineId" = ANY(%(first)s::text[]) DESC, known."since", known."pieces" DESC, known."lineId"
    LIMIT %(most)s
)
SELECT
    present."lineId", present."lines",
    coalesce(
        sample."line", stop."line", production."line",
        (SELECT o."line" FROM "ProductionOrder" o WHERE o."lineId" = present."lineId" LIMIT 1),
        present."lineId"
    ) AS "line",
    sample."timestamp", sample."actualRate", sample."targetRate", sample."isRunning",
    sample."temperature", sample."pressure", sample."receivedAt", latest."updatedAt",
    stop."startTime" AS "stopStart", stop."category", stop."reason",
    production."orderNumber", production."productType", production."quantity", production."produced",
    production."defects", production."status", production."priority", production."operator",
    production."startTime", production."estimatedEndTime", production."endTime",
    latest."shiftId", latest."shiftDate",
    shift."runningSeconds", shift."stoppedSeconds", shift."pieces", shift."shiftDefects",
    shift."theoreticalOutput", shift."realOutput",
    alerts."openAlerts", alerts."worst", heard."since" AS "heardSince"
FROM present
LEFT JOIN LATERAL (
    SELECT * FROM "ProductionData" d
    WHERE d."lineId" >= present."lineId" AND d."lineId" <= present."lineId"
        ORDER BY d."lineId" DESC, d."timestamp" DESC LIMIT 1
) sample ON true
LEFT JOIN LATERAL (
    SELECT * FROM "Downtime" d
    WHERE d."lineId" >= present."lineId" AND d."lineId" <= present."lineId"
        ORDER BY d."lineId" DESC, d."startTime" DESC LIMIT 1
) stop ON stop."endTime" IS NULL
LEFT JOIN LATERAL (
    SELECT * FROM "ProductionOrder" o
    WHERE o."lineId" = present."lineId" AND o."startTime" IS NOT NULL ORDER BY o."startTime" DESC LIMIT 1
) production ON true
LEFT JOIN LATERAL (
    SELECT k."shiftId", k."shiftDate", k."windowStart", k."updatedAt" FROM "KPISnapshot" k
    WHERE k."lineId" >= present."lineId" AND k."lineId" <= present."lineId"
        ORDER BY k."lineId" DESC, k."windowStart" DESC LIMIT 1
) latest ON true
LEFT JOIN LATERAL (
    SELECT
        sum(k."runningSeconds") AS "runningSeconds", sum(k."stoppedSeconds") AS "stoppedSeconds",
        sum(k."pieces")::bigint AS "pieces", sum(k."defects")::bigint AS "shiftDefects",
        sum(k."theoreticalOutput") AS "theoreticalOutput",
        sum(CASE k."performanceFrom" WHEN 'pieces' THEN k."timedPieces" ELSE k."reportedOutput" END) AS "realOutput"
    FROM "KPISnapshot" k
    WHERE k."lineId" = present."lineId" AND k."windowStart" > latest."windowStart" - interval '24 hours'
        AND k."shiftId" IS NOT DISTINCT FROM latest."shiftId"
        AND k."shiftDate" IS NOT DISTINCT FROM latest."shiftDate"
) shift ON true
LEFT JOIN LATERAL (
    SELECT
        count(*) AS "openAlerts",
        (array_agg(a."severity" ORDER BY array_position(ARRAY['critical', 'warning', 'info'], a."severity")))[1] AS "worst"
    FROM "Alert" a
    WHERE a."status" = 'open' AND a."lineId" = present."lineId"
) alerts ON true
LEFT JOIN LATERAL (
    SELECT d."timestamp" AS "since" FROM "ProductionData" d
    WHERE d."lineId" = present."lineId" AND d."timestamp" > %(since)s ORDER BY d."timestamp" LIMIT 1
) heard ON true

-- name: timelines
-- The stops of every line that overlap the time since a moment, at most a day ago.
SELECT "lineId", "line", "startTime", "endTime", "duration", "category", "reason"
FROM "Downtime"
WHERE "lineId" = ANY (%(lines)s)
    AND "startTime" > %(since)s - interval '24 hours'
    AND ("endTime" IS NULL OR "endTime" > %(since)s)
ORDER BY "lineId", "startTime"

-- name: recent_stops
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

-- name: recent_alerts
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

-- name: curve
-- A line's KPI sums over intervals of equal length.
SELECT
    date_bin(%(step)s, "windowStart", %(since)s) AS "start",
    sum("runningSeconds") AS "runningSeconds", sum("stoppedSeconds") AS "stoppedSeconds",
    sum("pieces")::bigint AS "pieces", sum("defects")::bigint AS "defects",
    sum("theoreticalOutput") AS "theoreticalOutput",
    sum(CASE "performanceFrom" WHEN 'pieces' THEN "timedPieces" ELSE "reportedOutput" END) AS "realOutput"
FROM "KPISnapshot"
WHERE "lineId" = %(line)s AND "windowStart" >= %(since)s
GROUP BY 1
ORDER BY 1

-- name: stops
-- A line's latest stops; stops do not overlap, so an open one is the latest.
SELECT "line", "startTime", "endTime", "duration", "category", "reason"
FROM "Downtime"
WHERE "lineId" = %(line)s
ORDER BY "startTime" DESC
LIMIT %(limit)s

-- name: alerts
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

-- name: orders
-- A line's running order, those waiting in the order in which they will start, then the latest done.
(
    SELECT "orderNumber", "productType", "quantity", "produced", "defects", "status", "priority", "operator",
        "startTime", "estimatedEndTime", "endTime"
    FROM "ProductionOrder"
    WHERE "lineId" = %(line)s AND "status" IN ('running', 'waiting')
    ORDER BY "status", array_position(ARRAY['urgent', 'high', 'medium', 'low'], "priority"), "createdAt"
)
UNION ALL
(
    SELECT "orderNumber", "productType", "quantity", "produced", "defects", "status", "priority", "operator",
        "startTime", "estimatedEndTime", "endTime"
    FROM "ProductionOrder"
    WHERE "lineId" = %(line)s AND "startTime" IS NOT NULL AND "status" IN ('completed', 'cancelled')
    ORDER BY "startTime" DESC
    LIMIT %(limit)s
)
