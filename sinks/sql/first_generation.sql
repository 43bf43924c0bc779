-- The first rules of a new database; changes nothing where there are rules.
INSERT INTO "Generation" ("generation", "plant", "live")
SELECT %s, %s, true
WHERE NOT EXISTS (SELECT 1 FROM "Generation")
ON CONFLICT DO NOTHING
