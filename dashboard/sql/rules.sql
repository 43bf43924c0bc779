-- The rules in force.
SELECT "generation", "plant" FROM "Generation" WHERE "live"
