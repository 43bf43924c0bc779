ALTER TABLE "ProductionOrder" ADD COLUMN "reason" text;
ALTER TABLE "Alert" ADD COLUMN "reason" text;
