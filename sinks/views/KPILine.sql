SELECT
    "lineId", max("line") AS "line", min("firstStart") AS "periodStart", max("lastEnd") AS "periodEnd",
    {sums}
FROM "KPISum"
GROUP BY "lineId"
