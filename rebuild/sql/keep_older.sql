-- Rows that began before the log does: it can't tell them again.
INSERT INTO {schema}.{table}
SELECT live.*
FROM {live}.{table} AS live
JOIN "RebuildLine" USING ("lineId")
JOIN "RebuildReach" AS reach USING ("partition")
WHERE live.{began} < reach."beginTime" OR ({inclusive} AND reach."begin" > 0 AND live.{began} = reach."beginTime")
ON CONFLICT DO NOTHING
