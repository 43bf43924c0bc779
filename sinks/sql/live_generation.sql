-- A statement of its own after cursor_move: its snapshot is younger than the swap that the cursor waited for.
SELECT "generation" FROM "Generation" WHERE "live"
