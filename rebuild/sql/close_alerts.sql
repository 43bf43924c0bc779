-- As close_orders.
UPDATE {schema}."Alert" AS kept
SET "status" = 'resolved', "reason" = 'log_lost',
    "resolvedAt" = CASE WHEN isfinite(reach."beginTime") THEN reach."beginTime" ELSE kept."updatedAt" END
FROM "RebuildLine" AS line JOIN "RebuildReach" AS reach USING ("partition")
WHERE line."lineId" = kept."lineId" AND kept."generation" < %(generation)s AND kept."status" = 'open'
