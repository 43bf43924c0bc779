SELECT
    "lineId", max("line") AS "line", min("firstStart") AS "periodStart", max("lastEnd") AS "periodEnd",
    "shiftDate", "shiftId",
    {sums}
FROM "KPISum"
WHERE "shiftId" IS NOT NULL
GROUP BY "lineId", "shiftDate", "shiftId"
