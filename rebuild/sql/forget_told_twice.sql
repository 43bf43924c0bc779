-- What was going on where the log begins is kept whole: that a line found it going on at its first message there
-- would tell a part of it again. The live tables have no such row.
WITH going_on AS MATERIALIZED (
    SELECT kept."lineId", kept.{start}, kept.{end}
    FROM {schema}.{table} AS kept
    JOIN "RebuildLine" USING ("lineId")
    JOIN "RebuildReach" AS reach USING ("partition")
    WHERE kept."generation" < %(generation)s AND kept.{end} > reach."beginTime"
)
DELETE FROM {schema}.{table} AS made
USING going_on AS kept
WHERE made."lineId" = kept."lineId" AND made."generation" = %(generation)s
  AND made.{start} >= kept.{start} AND made.{start} < kept.{end} AND made.{end} <= kept.{end}
  AND NOT EXISTS (SELECT FROM {live}.{table} AS live WHERE live."id" = made."id")
