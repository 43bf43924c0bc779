-- Which rules the rows come from.

-- name: live
-- A statement of its own after cursors.move: its snapshot is younger than the swap that the cursor waited for.
SELECT "generation" FROM "Generation" WHERE "live"

-- name: live_rules
-- The rules that the rows come from.
SELECT "generation", "plant", "createdAt" FROM "Generation" WHERE "live"

-- name: insert_first
-- The rules of a database that has none yet.
INSERT INTO "Generation" ("generation", "plant", "createdAt", "live")
SELECT %s, %s, %s, true
WHERE NOT EXISTS (SELECT 1 FROM "Generation")
ON CONFLICT DO NOTHING

-- name: next
SELECT max("generation") + 1 FROM "Generation"

-- name: retire
-- Its number and rules stay on record.
UPDATE "Generation" SET "live" = false WHERE "live"

-- name: begin
INSERT INTO "Generation" ("generation", "plant", "live") VALUES (%s, %s, true)
