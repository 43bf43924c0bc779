-- What "KPISum" holds of windows: a part an hour, until a shift, an order or a product changes in it.
-- Rounding takes away what adding doubles has put there: a sum does not depend on the order of its terms.
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
    round(sum("runningSeconds") * 1e3) / 1e3 AS "runningSeconds",
    round(sum("slowSeconds") * 1e3) / 1e3 AS "slowSeconds",
    round(sum("stoppedSeconds") * 1e3) / 1e3 AS "stoppedSeconds",
    round(sum("microSeconds") * 1e3) / 1e3 AS "microSeconds",
    round(sum("plannedSeconds") * 1e3) / 1e3 AS "plannedSeconds",
    round(sum("noSignalSeconds") * 1e3) / 1e3 AS "noSignalSeconds",
    round(sum("closedSeconds") * 1e3) / 1e3 AS "closedSeconds",
    round(sum("unknownSeconds") * 1e3) / 1e3 AS "unknownSeconds",
    sum("pieces") AS "pieces", sum("timedPieces") AS "timedPieces", sum("defects") AS "defects",
    round(sum("theoreticalOutput") * 1e6) / 1e6 AS "theoreticalOutput",
    round(sum("reportedOutput") * 1e6) / 1e6 AS "reportedOutput",
    round(sum(CASE "performanceFrom" WHEN 'rate' THEN "reportedOutput" ELSE "timedPieces" END) * 1e6) / 1e6
        AS "realOutput",
    sum("stops") AS "stops", sum("microStops") AS "microStops"
FROM {windows}
GROUP BY "lineId", "hour", "timeZone", "day", "shiftId", "shiftDate", "orderNumber", "productType"
