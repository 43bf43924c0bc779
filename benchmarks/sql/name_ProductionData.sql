-- A sample of each of so many other names.
INSERT INTO "ProductionData" (
    "id", "lineId", "line", "timestamp", "bottlesProduced", "defectCount", "isRunning", "receivedAt"
)
SELECT gen_random_uuid(), 'x' || number, 'x' || number, %(at)s, 1, 0, true, %(at)s
FROM generate_series(1, %(names)s) AS number
