-- The schema in which a rebuild makes its tables, its progress, and its locks.

-- name: lock
-- One rebuild at a time, as long as its session lasts; the numbers are "lp" and the rebuild's own.
SELECT pg_try_advisory_lock(27760, 2)

-- name: under_way
-- Whether a session holds the lock of a rebuild.
SELECT EXISTS (
    SELECT 1
    FROM pg_locks
    WHERE locktype = 'advisory' AND classid = 27760 AND objid = 2 AND objsubid = 2 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)

-- name: lock_partition
-- Held by the session: the numbers are "lq" and the partition's own.
SELECT pg_advisory_lock(27761, %s)

-- name: unlock_partition
SELECT pg_advisory_unlock(27761, %s)

-- name: generations
-- Generations that are kept beside the live one, or were begun and did not go live: their sizes in bytes.
SELECT substr(n.nspname, 12)::integer AS generation, coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
FROM pg_namespace n
LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
WHERE n.nspname ~ '^generation_[0-9]{1,9}$'
GROUP BY 1
ORDER BY 1

-- name: schema_exists
SELECT to_regclass(format('%%I.%%I', %s::text, 'Rebuild')) IS NOT NULL

-- name: create_table
-- Keys and indexes come by their own names, later where that is cheaper.
CREATE TABLE {schema}.{table} (LIKE {live}.{table} INCLUDING ALL EXCLUDING INDEXES)

-- name: table_options
-- Such as fillfactor, which LIKE leaves out.
SELECT option_name, option_value
FROM pg_class c, pg_options_to_table(c.reloptions)
WHERE c.oid = %s::regclass

-- name: table_constraints
-- The keys of a table of the live schema, as ALTER TABLE … ADD takes them.
SELECT conname, pg_get_constraintdef(oid)
FROM pg_constraint
WHERE conrelid = %s::regclass AND contype IN ('p', 'u')
ORDER BY contype, conname

-- name: table_indexes
-- The indexes of a table of the live schema that belong to no key: what follows CREATE INDEX … ON ….
SELECT c.relname, split_part(pg_get_indexdef(i.indexrelid), ' USING ', 1) LIKE 'CREATE UNIQUE %%',
    'USING ' || split_part(pg_get_indexdef(i.indexrelid), ' USING ', 2)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = %s::regclass
  AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)
ORDER BY c.relname

-- name: create_progress
-- From which records the tables beside this one were made, and how far; changed in the transactions of their rows.
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

-- name: begin
INSERT INTO {schema}."Rebuild" ("generation", "plant", "revision", "topic", "partitions")
VALUES (%s, %s, %s, %s, %s)

-- name: read
SELECT "plant", "revision", "topic", "partitions" FROM {schema}."Rebuild"

-- name: save_checkpoint
INSERT INTO {schema}."RebuildPartition" AS kept
    ("partition", "begin", "beginTime", "nextOffset", "lastTime", "states", "refused")
VALUES (%(partition)s, %(begin)s, %(begin_time)s, %(next_offset)s, %(last_time)s, %(states)s, %(refused)s)
ON CONFLICT ("partition") DO UPDATE
SET "beginTime" = coalesce(kept."beginTime", EXCLUDED."beginTime"), "nextOffset" = EXCLUDED."nextOffset",
    "lastTime" = EXCLUDED."lastTime", "states" = EXCLUDED."states",
    "refused" = kept."refused" + EXCLUDED."refused"

-- name: read_checkpoints
SELECT "partition", "begin", "beginTime", "nextOffset", "lastTime", "states" FROM {schema}."RebuildPartition"

-- name: read_refused
SELECT coalesce(sum("refused"), 0) FROM {schema}."RebuildPartition"
