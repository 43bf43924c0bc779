SELECT
    "lineId", max("line") AS "line", min("firstStart") AS "periodStart", max("lastEnd") AS "periodEnd",
    "productType",
    {sums}
FROM "KPISum"
WHERE {hours} AND "productType" IS NOT NULL
GROUP BY "lineId", "productType"
