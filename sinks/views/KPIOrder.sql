-- A line that has forgotten a number may make another order of it. The windows of such numbers are summed one by
-- one: what begins behind the end of one order is the next one's. All others are read from the sums of hours.
SELECT
    "lineId", max("line") AS "line", min("firstStart") AS "periodStart", max("lastEnd") AS "periodEnd",
    "orderNumber", max("productType") AS "productType",
    {sums}
FROM (
    SELECT
        k."lineId", k."line", k."orderNumber", k."productType", k."firstStart", k."lastEnd",
        {summed_hours},
        0::bigint AS "earlier"
    FROM "KPISum" k
    WHERE k."orderNumber" IS NOT NULL AND NOT EXISTS (
        SELECT FROM "ProductionOrder" a
        JOIN "ProductionOrder" b ON b."lineId" = a."lineId" AND b."orderNumber" = a."orderNumber"
        WHERE a."lineId" = k."lineId" AND a."orderNumber" = k."orderNumber" AND a."id" <> b."id"
    )
    UNION ALL
    SELECT
        w."lineId", w."line", w."orderNumber", w."productType", w."windowStart", w."windowEnd",
        {summed_windows},
        (
            -- Strictly: what an order made that its first message ended begins at its end.
            SELECT count(*)
            FROM "ProductionOrder" o
            WHERE o."lineId" = w."lineId" AND o."orderNumber" = w."orderNumber"
                AND o."endTime" < w."windowStart"
                AND EXISTS (
                    SELECT FROM "ProductionOrder" later
                    WHERE later."lineId" = o."lineId" AND later."orderNumber" = o."orderNumber"
                        AND later."createdAt" > o."createdAt"
                )
        )
    FROM "KPISum" k
    JOIN "KPISnapshot" w ON w."lineId" = k."lineId" AND w."hour" = k."hour"
        AND w."windowStart" >= k."hour" AND w."windowStart" < k."hour" + interval '1 hour'
        AND w."orderNumber" = k."orderNumber" AND w."productType" IS NOT DISTINCT FROM k."productType"
        AND w."shiftId" IS NOT DISTINCT FROM k."shiftId"
        AND w."shiftDate" IS NOT DISTINCT FROM k."shiftDate"
        AND w."day" = k."day" AND w."timeZone" = k."timeZone"
    WHERE EXISTS (
        SELECT FROM "ProductionOrder" a
        JOIN "ProductionOrder" b ON b."lineId" = a."lineId" AND b."orderNumber" = a."orderNumber"
        WHERE a."lineId" = k."lineId" AND a."orderNumber" = k."orderNumber" AND a."id" <> b."id"
    )
) AS told
GROUP BY "lineId", "orderNumber", "earlier"
