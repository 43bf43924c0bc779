ALTER TABLE "Downtime" ADD COLUMN "requiredSeconds" double precision;
