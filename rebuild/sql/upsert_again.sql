INSERT INTO {schema}.{table} AS kept ({columns})
SELECT {columns} FROM pg_temp.{table}
ON CONFLICT ("id") DO UPDATE
SET ({columns}) = ROW ({new_columns})
WHERE (kept."versionTime", kept."versionOffset") < (EXCLUDED."versionTime", EXCLUDED."versionOffset")
