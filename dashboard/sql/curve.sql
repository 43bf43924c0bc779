-- A line's KPI sums over stretches of equal length.
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
