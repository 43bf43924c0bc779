-- A past of samples, in the order of time: so many a line, spread evenly over the days before the end.
INSERT INTO "ProductionData" (
    "id", "lineId", "line", "timestamp", "bottlesProduced", "targetRate", "actualRate", "defectCount",
    "isRunning", "shiftId", "shiftDate", "temperature", "pressure", "receivedAt"
)
SELECT
    gen_random_uuid(), 'ligne' || line, 'Ligne ' || line, at, 2, 120, 115.5, 0, true, 'MATIN', at::date, 25.3, 2.1, at
FROM generate_series(1, %(samples)s) AS number
CROSS JOIN LATERAL (
    SELECT %(end)s::timestamptz - (%(samples)s - number) * %(days)s * interval '1 day' / %(samples)s AS at
) AS moment
CROSS JOIN LATERAL generate_series(1, %(lines)s + 0 * number) AS line  -- within each point in time
