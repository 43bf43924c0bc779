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
