SELECT
    "lineId", max("line") AS "line",
    "weekStart" AS "periodStart",
    (("weekStart" AT TIME ZONE "timeZone") + interval '7 days') AT TIME ZONE "timeZone" AS "periodEnd",
    to_char("weekStart" AT TIME ZONE "timeZone", 'IYYY-"W"IW') AS "week",
    {sums}
FROM "KPISum"
GROUP BY "lineId", "weekStart", "timeZone"
