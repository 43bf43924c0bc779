SELECT
    "lineId", max("line") AS "line",
    "dayStart" AS "periodStart", ("day" + 1)::timestamp AT TIME ZONE "timeZone" AS "periodEnd", "day",
    {sums}
FROM "KPISum"
GROUP BY "lineId", "day", "dayStart", "timeZone"
