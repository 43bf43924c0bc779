ALTER TABLE "ProductionOrder" DROP CONSTRAINT "ProductionOrder_lineId_orderNumber";
CREATE INDEX "ProductionOrder_lineId_orderNumber" ON "ProductionOrder" ("lineId", "orderNumber");
