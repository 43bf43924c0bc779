-- Its number and rules stay on record.
UPDATE "Generation" SET "live" = false WHERE "live"
