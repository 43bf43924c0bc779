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
    INSERT INTO "KPISum" ({columns}) SELECT {columns} FROM summed
    ON CONFLICT ("lineId", "hour", "part") DO UPDATE SET ({columns}) = ROW ({new_columns})
)
DELETE FROM "KPISum" k
USING touched
WHERE k."lineId" = touched."lineId" AND k."hour" = touched."hour"
    -- NOT IN, which PostgreSQL answers from a hash table: many hours cost what few do, each.
    AND (k."lineId", k."hour", k."part") NOT IN (SELECT s."lineId", s."hour", s."part" FROM summed s)

-- name: fill
-- Every window, summed.
INSERT INTO "KPISum" ({columns}) {sums}
