-- The rules of a database that has none yet.
INSERT INTO "Generation" ("generation", "plant", "createdAt", "live")
SELECT %s, %s, %s, true
WHERE NOT EXISTS (SELECT 1 FROM "Generation")
ON CONFLICT DO NOTHING
