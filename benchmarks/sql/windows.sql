-- A past of windows, a minute each, in the order of time: three shifts, an order every five hours, five products.
INSERT INTO "KPISnapshot" (
    "id", "lineId", "line", "windowStart", "windowEnd", "timeZone", "day", "hour", "shiftId", "shiftDate",
    "orderNumber", "productType", "performanceFrom",
    "trs", "availability", "performance", "quality", "oee", "do", "tp", "tq",
    "runningSeconds", "slowSeconds", "stoppedSeconds", "microSeconds", "plannedSeconds", "noSignalSeconds",
    "closedSeconds", "unknownSeconds", "pieces", "timedPieces", "defects", "theoreticalOutput", "reportedOutput",
    "stops", "microStops", "createdAt", "updatedAt", "generation", "versionTime", "versionOffset"
)
SELECT
    gen_random_uuid(), 'ligne' || line, 'Ligne ' || line, at, at + interval '1 minute',
    'Europe/Paris', local::date, date_trunc('hour', at, 'Europe/Paris'),
    CASE
        WHEN extract(hour FROM local) BETWEEN 6 AND 13 THEN 'MATIN'
        WHEN extract(hour FROM local) BETWEEN 14 AND 21 THEN 'APRES_MIDI'
        ELSE 'NUIT'
    END,
    (local - interval '6 hours')::date,
    'ORD-' || line || '-' || five_hours, 'Produit ' || (five_hours + line) %% 5,
    CASE WHEN line %% 2 = 0 THEN 'pieces' ELSE 'rate' END,
    82.3, 95, 90, 99, 82.3, 97, 91, 99,
    60 - stopped, 3, stopped, stopped / 4.0, 0, 0, 0, 0,
    110 - stopped, 110 - stopped, pick %% 3, 120 - 2 * stopped, 110.5 - 2 * stopped,
    (pick %% 29 = 0)::integer, (pick %% 7 = 0)::integer, at, at + interval '61 seconds', 1, 0, number
FROM generate_series(1, %(days)s * 1440) AS number
CROSS JOIN LATERAL (SELECT %(end)s::timestamptz - (%(days)s * 1440 - number + 1) * interval '1 minute' AS at) AS moment
CROSS JOIN LATERAL (
    SELECT at AT TIME ZONE 'Europe/Paris' AS local, floor(extract(epoch FROM at) / 18000)::bigint AS five_hours
) AS clock
CROSS JOIN LATERAL generate_series(1, %(lines)s + 0 * number) AS line  -- within each point in time
CROSS JOIN LATERAL (SELECT (number * 31 + line * 17) %% 101 AS pick) AS picked
CROSS JOIN LATERAL (SELECT CASE WHEN pick %% 7 = 0 THEN pick %% 40 ELSE 0 END AS stopped) AS lost
