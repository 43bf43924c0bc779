SELECT
    "lineId", max("line") AS "line", "hour" AS "periodStart", "hour" + interval '1 hour' AS "periodEnd", "day",
    {sums}
FROM "KPISum"
GROUP BY "lineId", "hour", "day"
