-- As close_orders.
UPDATE {schema}."Alert" AS kept
SET "status" = 'resolved', "resolvedAt" = reach."endTime", "reason" = 'log_lost', "updatedAt" = reach."endTime"
FROM "RebuildLine" AS line JOIN "RebuildReach" AS reach USING ("partition")
WHERE line."lineId" = kept."lineId" AND kept."generation" < %(generation)s AND kept."status" = 'open'
