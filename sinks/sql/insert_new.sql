-- Rows that never change: one that is there already is the same.
INSERT INTO {table} ({columns})
SELECT {columns}
FROM json_populate_recordset(NULL::{table}, %s::json)
ON CONFLICT ("id") DO NOTHING
