-- Kept from before the log's beginning: no line knows them, so nobody will ever close them. They end where the
-- log begins; where it holds nothing at all, with the last that is known of them.
UPDATE {schema}."ProductionOrder" AS kept
SET "status" = 'cancelled', "reason" = 'log_lost',
    "endTime" = CASE WHEN isfinite(reach."beginTime") THEN reach."beginTime" ELSE kept."updatedAt" END
FROM "RebuildLine" AS line JOIN "RebuildReach" AS reach USING ("partition")
WHERE line."lineId" = kept."lineId" AND kept."generation" < %(generation)s
  AND kept."status" IN ('waiting', 'running')
