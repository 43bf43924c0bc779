-- What the tables beside this one were made from, and how far they have come; moved with their rows.
CREATE TABLE {schema}."Rebuild" (
    "generation" integer PRIMARY KEY,
    "plant" text NOT NULL,
    "revision" text NOT NULL,       -- of the live schema
    "topic" text NOT NULL,
    "partitions" integer NOT NULL
);
CREATE TABLE {schema}."RebuildPartition" (
    "partition" integer PRIMARY KEY,
    "begin" bigint NOT NULL,        -- offset of the first record read
    "beginTime" bigint,             -- ms; its time: where the seam lies if "begin" is not 0
    "nextOffset" bigint NOT NULL,
    "lastTime" bigint NOT NULL,     -- ms; of the last record applied
    "states" bytea NOT NULL,
    "refused" bigint NOT NULL       -- rows that PostgreSQL did not take
)
