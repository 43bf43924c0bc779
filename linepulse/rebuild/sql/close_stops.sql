-- As close_orders.
UPDATE {schema}."Downtime" AS kept
SET "endTime" = greatest("startTime", reach."endTime"),
    "duration" = extract(epoch FROM greatest("startTime", reach."endTime") - "startTime"),
    "reason" = coalesce("reason" || ' (log_lost)', 'log_lost'),
    "updatedAt" = reach."endTime"
FROM "RebuildLine" AS line JOIN "RebuildReach" AS reach USING ("partition")
WHERE line."lineId" = kept."lineId" AND kept."generation" < %(generation)s AND kept."endTime" IS NULL
