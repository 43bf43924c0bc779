-- Events written as rows. In braces: a table, or a list of its columns.

-- name: copy
COPY {table} ({columns}) FROM STDIN

-- name: insert_new
-- Rows that never change: one that is there already is the same.
INSERT INTO {table} ({columns})
SELECT {columns}
FROM json_populate_recordset(NULL::{table}, %s::json)
ON CONFLICT ("id") DO NOTHING

-- name: insert_dead_letters
-- Like insert_new, but the payload comes as base64.
INSERT INTO "DeadLetter" (
    "id", "lineId", "line", "topic", "partition", "offset",
    "mqttTopic", "payload", "reason", "detail", "receivedAt"
)
SELECT
    "id", "lineId", "line", "topic", "partition", "offset",
    "mqttTopic", decode("payload", 'base64'), "reason", "detail", "receivedAt"
FROM json_to_recordset(%s::json) AS letter (
    "id" uuid, "lineId" text, "line" text, "topic" text, "partition" integer, "offset" bigint,
    "mqttTopic" text, "payload" text, "reason" text, "detail" text, "receivedAt" timestamptz(3)
)
ON CONFLICT ("id") DO NOTHING

-- name: upsert
-- A row gives way to a higher version only. Columns that are in no event keep what they hold.
INSERT INTO {table} AS kept ({columns}, "versionTime", "versionOffset")
SELECT {row_columns}, (event -> 'version' ->> 0)::bigint, (event -> 'version' ->> 1)::bigint
FROM json_array_elements(%s::json) AS event, json_populate_record(NULL::{table}, event) AS row
ON CONFLICT ("id") DO UPDATE
SET ({columns}, "versionTime", "versionOffset")
    = ROW ({new_columns}, EXCLUDED."versionTime", EXCLUDED."versionOffset")
WHERE (kept."generation", kept."versionTime", kept."versionOffset")
    < (EXCLUDED."generation", EXCLUDED."versionTime", EXCLUDED."versionOffset")
RETURNING kept."id"::text, kept.xmax = 0  -- whether the row is new

-- name: savepoint
SAVEPOINT rows

-- name: release_savepoint
RELEASE SAVEPOINT rows

-- name: back_to_savepoint
ROLLBACK TO SAVEPOINT rows

-- name: end_frozen
-- A worker that froze in the middle of a COPY holds its locks for as long as it is frozen: no server-side
-- timeout ends a COPY that waits for its client. Its session is one that has been waiting for too long.
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE datname = current_database()
  AND usename = current_user
  AND application_name = %(application)s
  AND state = 'active'
  AND wait_event = 'ClientRead'
  AND state_change < now() - %(seconds)s * interval '1 second'

-- name: create_staging
-- Rows that may stand in the table already, in an earlier form.
CREATE TEMPORARY TABLE IF NOT EXISTS {staging} (LIKE {table}) ON COMMIT DELETE ROWS

-- name: upsert_staged
INSERT INTO {table} AS kept ({columns})
SELECT {columns} FROM {staging}
ON CONFLICT ("id") DO UPDATE
SET ({columns}) = ROW ({new_columns})
WHERE (kept."versionTime", kept."versionOffset") < (EXCLUDED."versionTime", EXCLUDED."versionOffset")
