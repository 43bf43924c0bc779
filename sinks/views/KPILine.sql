SELECT
    "lineId", max("line") AS "line", min("firstStart") AS "periodStart", max("lastEnd") AS "periodEnd",
    {sums}
FROM "KPISum"
WHERE {hours}
GROUP BY "lineId"
