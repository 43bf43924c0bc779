-- A window of each of so many other names.
INSERT INTO "KPISnapshot" (
    "id", "lineId", "line", "windowStart", "windowEnd", "day", "hour", "performanceFrom",
    "runningSeconds", "stoppedSeconds", "plannedSeconds", "noSignalSeconds", "unknownSeconds", "pieces", "timedPieces",
    "defects", "theoreticalOutput", "reportedOutput", "createdAt", "updatedAt", "generation", "versionTime",
    "versionOffset"
)
SELECT
    gen_random_uuid(), 'x' || number, 'x' || number, at, at + interval '1 minute', at::date,
    date_trunc('hour', at, 'Europe/Paris'), 'rate', 30, 0, 0, 30, 0, 1, 1, 0, 0, 0, at, at, 1, 0, number
FROM generate_series(1, %(names)s) AS number
CROSS JOIN LATERAL (SELECT date_trunc('minute', %(at)s::timestamptz) AS at) AS moment
