CREATE INDEX "ProductionOrder_waiting" ON "ProductionOrder" ("lineId") WHERE "status" = 'waiting';
CREATE INDEX "Downtime_open" ON "Downtime" ("lineId") WHERE "endTime" IS NULL;
