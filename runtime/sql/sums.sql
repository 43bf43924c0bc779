-- Windows summed by line and hour: "KPISum".

-- name: of_windows
-- What "KPISum" holds of windows: a part an hour, until a shift, an order or a product changes in it.
SELECT
    "lineId", max("line") AS "line", "hour",
    row_number() OVER (
        PARTITION BY "lineId", "hour"
        ORDER BY min("windowStart"), "day", "timeZone", "shiftDate", "shiftId", "orderNumber", "productType"
    ) AS "part",
    "timeZone", "day", "day"::timestamp AT TIME ZONE "timeZone" AS "dayStart",
    date_trunc('week', "day"::timestamp) AT TIME ZONE "timeZone" AS "weekStart",
    "shiftId", "shiftDate", "orderNumber", "productType",
    min("windowStart") AS "firstStart", max("windowEnd") AS "lastEnd",
    {sums}
FROM (
    SELECT *, CASE "performanceFrom" WHEN 'rate' THEN "reportedOutput" ELSE "timedPieces" END AS "realOutput"
    FROM {windows}
) AS kpi
GROUP BY "lineId", "hour", "timeZone", "day", "shiftId", "shiftDate", "orderNumber", "productType"

-- name: columns
    -- The sums of windows, and of their sums. Rounding takes away what adding doubles has put there: a sum does
    -- not depend on the order of its terms.
    round(sum("runningSeconds") * 1e3) / 1e3 AS "runningSeconds",
    round(sum("slowSeconds") * 1e3) / 1e3 AS "slowSeconds",
    round(sum("stoppedSeconds") * 1e3) / 1e3 AS "stoppedSeconds",
    round(sum("microSeconds") * 1e3) / 1e3 AS "microSeconds",
    round(sum("plannedSeconds") * 1e3) / 1e3 AS "plannedSeconds",
    round(sum("noSignalSeconds") * 1e3) / 1e3 AS "noSignalSeconds",
    round(sum("closedSeconds") * 1e3) / 1e3 AS "closedSeconds",
    round(sum("unknownSeconds") * 1e3) / 1e3 AS "unknownSeconds",
    sum("pieces")::bigint AS "pieces",
    sum("timedPieces")::bigint AS "timedPieces",
    sum("defects")::bigint AS "defects",
    round(sum("theoreticalOutput") * 1e6) / 1e6 AS "theoreticalOutput",
    round(sum("reportedOutput") * 1e6) / 1e6 AS "reportedOutput",
    round(sum("realOutput") * 1e6) / 1e6 AS "realOutput",
    sum("stops") AS "stops",
    sum("microStops") AS "microStops"

-- name: renew_hours
-- The hours of these events' windows, summed anew.
WITH touched AS (
    SELECT DISTINCT event ->> 'lineId' AS "lineId", (event ->> 'hour')::timestamptz(3) AS "hour"
    FROM json_array_elements(%s::json) AS event
), windows AS (
    SELECT theirs.*
    FROM touched
    CROSS JOIN LATERAL (
        SELECT *
        FROM "KPISnapshot" k
        WHERE k."lineId" = touched."lineId" AND k."hour" = touched."hour"
            AND k."windowStart" >= touched."hour" AND k."windowStart" < touched."hour" + interval '1 hour'
        OFFSET 0  -- hour by hour from the index: joined, PostgreSQL would rather read the whole table
    ) AS theirs
), summed AS (
    {sums}
), kept AS (
    INSERT INTO "KPISum" SELECT * FROM summed
    ON CONFLICT ("lineId", "hour", "part") DO UPDATE
    SET (
        "line", "timeZone", "day", "dayStart", "weekStart", "shiftId", "shiftDate", "orderNumber",
        "productType", "firstStart", "lastEnd", "runningSeconds", "slowSeconds", "stoppedSeconds",
        "microSeconds", "plannedSeconds", "noSignalSeconds", "closedSeconds", "unknownSeconds", "pieces",
        "timedPieces", "defects", "theoreticalOutput", "reportedOutput", "realOutput", "stops",
        "microStops"
    ) = ROW (
        EXCLUDED."line", EXCLUDED."timeZone", EXCLUDED."day", EXCLUDED."dayStart", EXCLUDED."weekStart",
        EXCLUDED."shiftId", EXCLUDED."shiftDate", EXCLUDED."orderNumber", EXCLUDED."productType",
        EXCLUDED."firstStart", EXCLUDED."lastEnd", EXCLUDED."runningSeconds", EXCLUDED."slowSeconds",
        EXCLUDED."stoppedSeconds", EXCLUDED."microSeconds", EXCLUDED."plannedSeconds",
        EXCLUDED."noSignalSeconds", EXCLUDED."closedSeconds", EXCLUDED."unknownSeconds", EXCLUDED."pieces",
        EXCLUDED."timedPieces", EXCLUDED."defects", EXCLUDED."theoreticalOutput", EXCLUDED."reportedOutput",
        EXCLUDED."realOutput", EXCLUDED."stops", EXCLUDED."microStops"
    )
)
DELETE FROM "KPISum" k
USING touched
WHERE k."lineId" = touched."lineId" AND k."hour" = touched."hour"
    -- NOT IN, which PostgreSQL answers from a hash table: many hours cost what few do, each.
    AND (k."lineId", k."hour", k."part") NOT IN (SELECT s."lineId", s."hour", s."part" FROM summed s)

-- name: fill
-- Every window, summed.
INSERT INTO "KPISum" {sums}
