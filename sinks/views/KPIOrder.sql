SELECT
    "lineId", max("line") AS "line", min("firstStart") AS "periodStart", max("lastEnd") AS "periodEnd",
    "orderNumber", max("productType") AS "productType",
    {sums}
FROM "KPISum"
WHERE "orderNumber" IS NOT NULL
GROUP BY "lineId", "orderNumber"
