INSERT INTO "Generation" ("generation", "plant", "live") VALUES (%s, %s, true)
