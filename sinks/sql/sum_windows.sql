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
) AS told
GROUP BY "lineId", "hour", "timeZone", "day", "shiftId", "shiftDate", "orderNumber", "productType"
