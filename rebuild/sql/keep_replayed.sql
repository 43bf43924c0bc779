UPDATE {schema}."DeadLetter" AS kept
SET "replayedAt" = live."replayedAt"
FROM {live}."DeadLetter" AS live
WHERE live."id" = kept."id" AND live."replayedAt" IS DISTINCT FROM kept."replayedAt"
