-- The hours of these events' windows, summed anew.
WITH touched AS (
    SELECT DISTINCT event ->> 'lineId' AS "lineId", (event ->> 'hour')::timestamptz(3) AS "hour"
    FROM json_array_elements(%s::json) AS event
), windows AS (
    SELECT theirs.*
    FROM touched
    CROSS JOIN LATERAL (
        SELECT *
        FROM "KPISnapshot" k
        WHERE k."lineId" = touched."lineId" AND k."hour" = touched."hour"
            AND k."windowStart" >= touched."hour" AND k."windowStart" < touched."hour" + interval '1 hour'
        OFFSET 0  -- hour by hour from the index: joined, PostgreSQL would rather read the whole table
    ) AS theirs
), summed AS (
    {sums}
), kept AS (
    INSERT INTO "KPISum" SELECT * FROM summed
    ON CONFLICT ("lineId", "hour", "part") DO UPDATE
    SET (
        "line", "timeZone", "day", "dayStart", "weekStart", "shiftId", "shiftDate", "orderNumber",
        "productType", "firstStart", "lastEnd", "runningSeconds", "slowSeconds", "stoppedSeconds",
        "microSeconds", "plannedSeconds", "noSignalSeconds", "closedSeconds", "unknownSeconds", "pieces",
        "timedPieces", "defects", "theoreticalOutput", "reportedOutput", "realOutput", "stops",
        "microStops"
    ) = ROW (
        EXCLUDED."line", EXCLUDED."timeZone", EXCLUDED."day", EXCLUDED."dayStart", EXCLUDED."weekStart",
        EXCLUDED."shiftId", EXCLUDED."shiftDate", EXCLUDED."orderNumber", EXCLUDED."productType",
        EXCLUDED."firstStart", EXCLUDED."lastEnd", EXCLUDED."runningSeconds", EXCLUDED."slowSeconds",
        EXCLUDED."stoppedSeconds", EXCLUDED."microSeconds", EXCLUDED."plannedSeconds",
        EXCLUDED."noSignalSeconds", EXCLUDED."closedSeconds", EXCLUDED."unknownSeconds", EXCLUDED."pieces",
        EXCLUDED."timedPieces", EXCLUDED."defects", EXCLUDED."theoreticalOutput", EXCLUDED."reportedOutput",
        EXCLUDED."realOutput", EXCLUDED."stops", EXCLUDED."microStops"
    )
)
DELETE FROM "KPISum" k
USING touched
WHERE k."lineId" = touched."lineId" AND k."hour" = touched."hour"
    -- NOT IN, which PostgreSQL answers from a hash table: many hours cost what few do, each.
    AND (k."lineId", k."hour", k."part") NOT IN (SELECT s."lineId", s."hour", s."part" FROM summed s)
