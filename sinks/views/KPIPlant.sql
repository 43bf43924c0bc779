SELECT
    "dayStart" AS "periodStart", ("day" + 1)::timestamp AT TIME ZONE "timeZone" AS "periodEnd", "day",
    {sums}
FROM "KPISum"
GROUP BY "day", "dayStart", "timeZone"
