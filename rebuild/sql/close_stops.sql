-- As close_orders.
UPDATE {schema}."Downtime" AS kept
SET "endTime" = closed."at", "duration" = extract(epoch FROM closed."at" - kept."startTime"),
    "reason" = coalesce(kept."reason" || ' (log_lost)', 'log_lost')
FROM (
    SELECT open."id", greatest(
        open."startTime", CASE WHEN isfinite(reach."beginTime") THEN reach."beginTime" ELSE open."updatedAt" END
    ) AS "at"
    FROM {schema}."Downtime" AS open
    JOIN "RebuildLine" AS line USING ("lineId")
    JOIN "RebuildReach" AS reach USING ("partition")
    WHERE open."generation" < %(generation)s AND open."endTime" IS NULL
) AS closed
WHERE closed."id" = kept."id"
