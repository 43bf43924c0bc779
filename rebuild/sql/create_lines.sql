-- Which partition a line's records are in, and what of that partition was read.
CREATE TEMPORARY TABLE IF NOT EXISTS "RebuildLine" (
    "lineId" text PRIMARY KEY,
    "partition" integer NOT NULL
);
CREATE TEMPORARY TABLE IF NOT EXISTS "RebuildReach" (
    "partition" integer PRIMARY KEY,
    "begin" bigint NOT NULL,
    "beginTime" timestamptz NOT NULL,     -- infinity where nothing was read
    "end" bigint NOT NULL,
    "endTime" timestamptz NOT NULL        -- likewise
);
TRUNCATE "RebuildLine", "RebuildReach"
