-- A stop of each line every 20 minutes, of 5 seconds to 15 minutes, for one of eleven reasons or none.
INSERT INTO "Downtime" (
    "id", "lineId", "line", "startTime", "endTime", "duration", "category", "reason", "orderNumber", "shiftId",
    "createdAt", "updatedAt", "generation", "versionTime", "versionOffset"
)
SELECT
    gen_random_uuid(), 'ligne' || line, 'Ligne ' || line, at, at + seconds * interval '1 second', seconds,
    CASE WHEN seconds < 120 THEN 'micro' ELSE 'unplanned' END, 'cause ' || nullif(pick %% 12, 0),
    'ORD-' || line || '-' || floor(extract(epoch FROM at) / 18000), 'MATIN', at, at, 1, 0, number
FROM generate_series(1, %(days)s * 72) AS number
CROSS JOIN LATERAL (SELECT %(end)s::timestamptz - (%(days)s * 72 - number + 1) * interval '20 minutes' AS at) AS moment
CROSS JOIN LATERAL generate_series(1, %(lines)s + 0 * number) AS line  -- within each point in time
CROSS JOIN LATERAL (SELECT (number * 31 + line * 17) %% 101 AS pick) AS picked
CROSS JOIN LATERAL (SELECT 5 + pick * pick * 0.0875 AS seconds) AS length
