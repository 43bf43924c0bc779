-- The rules that the rows come from.
SELECT "generation", "plant", "createdAt" FROM "Generation" WHERE "live"
