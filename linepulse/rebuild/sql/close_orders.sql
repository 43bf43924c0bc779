-- Kept from before the log's beginning: no line knows them, so nobody will ever close them.
UPDATE {schema}."ProductionOrder" AS kept
SET "status" = 'cancelled', "endTime" = reach."endTime", "reason" = 'log_lost', "updatedAt" = reach."endTime"
FROM "RebuildLine" AS line JOIN "RebuildReach" AS reach USING ("partition")
WHERE line."lineId" = kept."lineId" AND kept."generation" < %(generation)s
  AND kept."status" IN ('waiting', 'running')
