-- Whether anything is known of a line.
SELECT
    EXISTS (SELECT FROM "ProductionOrder" WHERE "lineId" = %(line)s)
    OR EXISTS (SELECT FROM "Downtime" WHERE "lineId" = %(line)s)
    OR EXISTS (SELECT FROM "KPISnapshot" WHERE "lineId" = %(line)s)
    OR EXISTS (SELECT FROM "ProductionData" WHERE "lineId" = %(line)s) AS "heard"
