-- What no record of the log says: the sinks' own dead letters, what was lost, what expired since.
INSERT INTO {schema}."DeadLetter"
SELECT live.*
FROM {live}."DeadLetter" AS live
LEFT JOIN "RebuildReach" AS reach ON reach."partition" = live."partition" AND live."topic" = %(topic)s
WHERE live."topic" <> %(topic)s
   OR live."reason" IN ('expired', 'log_lost')
   OR live."receivedAt" < reach."beginTime"
   OR (reach."begin" > 0 AND live."receivedAt" = reach."beginTime" AND live."offset" < reach."begin")
ON CONFLICT DO NOTHING
