-- Lines whose latest messages are of now: those that still tell their past are not among them.
SELECT count(DISTINCT "lineId") FROM "ProductionData" WHERE "timestamp" > now() - interval '20 seconds';
